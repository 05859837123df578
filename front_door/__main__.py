"""The command by another name, `python -m malmoi`: for where its script is not on the path."""

from malmoi.commands.main import main

if __name__ == "__main__":
    main()
