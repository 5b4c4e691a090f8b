"""`python -m maskaudit`: the command `maskaudit`, for the Python that runs it."""

from maskaudit import main

if __name__ == "__main__":
    main()
