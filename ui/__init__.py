"""The chat: a program over `rag` that shows an archive's answers and the articles behind them in a browser."""

import os

# Gradio reads these when it is imported: only this exact word keeps it from calling home, and only a high frequency
# keeps it from summing up all past questions with pandas after each one, for a page that is never shown.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "1000000000"
