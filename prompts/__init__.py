"""The texts that are sent to a language model, one file each; `rag.prompting` fills their places."""
