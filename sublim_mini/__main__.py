"""`python -m sublim_mini`: the lessons from one command, which is in course/command.py."""

from .course.command import main

if __name__ == "__main__":
    raise SystemExit(main())
