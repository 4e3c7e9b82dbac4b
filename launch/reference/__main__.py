"""`python -m launch.reference`: write what is generated into the pages of docs/ anew."""

from launch.reference.pages import ROOT, pages


def main() -> None:
    for path, text, should in pages():
        if text != should:
            path.write_text(should, encoding="utf-8")
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
