"""What runs and shows a lesson; the science is in the modules beside this folder."""
