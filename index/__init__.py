"""The program that brings an archive in step with folders of articles."""
