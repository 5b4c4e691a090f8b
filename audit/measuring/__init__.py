"""Models and items go in; what each model's scores are comes out."""
