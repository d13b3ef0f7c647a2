"""Programs of the development: run each as `python -m scripts.<name>`."""
