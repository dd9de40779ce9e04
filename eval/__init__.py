"""The program that measures Onrecord."""
