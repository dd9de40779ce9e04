"""The chatbot: an archive that answers questions. This is what a host application embeds."""
