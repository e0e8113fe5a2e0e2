#!/usr/bin/env python3
"""book.py -- the book's listings are the source, its transcripts are what the programs say, and both are checked.

  book.py check         listings and lists of files are what the sources say (`make lint`)
  book.py check --run   transcripts too, with the programs in bin/ (`make book-test`)
  book.py fill [--run]  writes all of that into docs/book/*.md
  book.py html OUT      all of the documentation as HTML, to be read without a network (`make docs`)

A listing is a fenced block whose info string names a file and a text that stands in it once: from that line to the closing
brace of the same indentation, or to the line with a second text. A transcript is a fenced block `console` with `$ COMMAND`
lines. "<!-- files: SECTION; SECTION -->" before a list gives it the files of these sections of docs/chapters. "<!-- figure: COMMAND -->"
before an image: the image is what the command prints.
Read next: book/README.md.
"""
import html, os, re, shlex, subprocess, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "docs/book"
FENCE = re.compile(r"^```(\S+)(.*)\n((?:(?!```).*\n)*)```$", re.M)
HOSTS_OWN = r"^swiftlet: ring 0 is emulated on this host.*\n"  # said where it is so, and only there
FILES = re.compile(r"^<!-- files: (.*) -->\n(?:- .*\n)*", re.M)
FIGURE = re.compile(r"^<!-- figure: (.*) -->\n!\[[^\]]*\]\((.*)\)$", re.M)


def chapters():
    return sorted(BOOK.glob("[0-9]*.md"))


def checked():
    """The chapters, and other texts whose transcripts are real."""
    return chapters() + [ROOT / "docs/step.md"]


def listing(path, first, last=None):
    """The lines of a file from the one with `first` in it to its end, without their common indentation."""
    lines = (ROOT / path).read_text().splitlines()
    starts = [number for number, line in enumerate(lines) if first in line]
    if len(starts) != 1:
        raise ValueError(f"{path} has {len(starts)} lines with {first!r}")
    start = starts[0]
    indent = re.match(r"\s*", lines[start]).group()
    for end in range(start, len(lines)):
        if (last in lines[end]) if last else lines[end].startswith(indent + "}"):
            return "".join(line.removeprefix(indent).rstrip() + "\n" for line in lines[start:end + 1])
    raise ValueError(f"{path} has no end of {first!r}")


def transcript(text):
    """The block's commands with what they say now: standard output and error, and the status unless it is 0."""
    said = ""
    for command in re.findall(r"^\$ (.*)$", text, re.M):
        done = subprocess.run(command, shell=True, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, text=True, timeout=60)
        done.stdout = re.sub(HOSTS_OWN, "", done.stdout, flags=re.M)
        said += f"$ {command}\n{done.stdout}" + (f"[status {done.returncode}]\n" if done.returncode else "")
    return said


def figures(path, write):
    """A chapter's figures that are not what their commands print now; writes them."""
    wrong = []
    for command, name in FIGURE.findall(path.read_text()):
        file = path.parent / name
        done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60)
        if not done.stdout:
            wrong.append(f"{path.name}: nothing is printed for {name}: {done.stderr}")
        elif not file.is_file() or form(file.read_text()) != form(done.stdout):
            if write:
                file.write_text(done.stdout)
            else:
                wrong.append(f"{path.name}: {name} is not what its command prints now: 'make book-fill', and look at it again")
    return wrong


def form(text):
    """What two hosts' transcripts share: addresses, fractions and quantities are only their form; so is the space around them."""
    text = re.sub(r"\+?0x[0-9a-f]+", "ADDRESS", text)
    text = re.sub(r"\d+(\.\d+)? ?(%|ns|us|ms|s|KiB|MiB)(?!\w)|\d+\.\d+", "QUANTITY", text)
    return re.sub(r"[ \t]+", " ", text)


def sections():
    """docs/chapters: the files of each section."""
    found = {}
    for line in (ROOT / "docs/chapters").read_text().splitlines():
        if line.startswith("chapter "):
            files = found.setdefault(line.removeprefix("chapter "), [])
        elif line and not line.startswith("#"):
            files.append(line)
    return found


def filled(text, run):
    """A chapter as it should be; raises ValueError where it names what is not there."""
    def block(match):
        language, info, body = match.groups()
        if language == "console":
            now = transcript(body) if run else body
            body = now if form(now) != form(body) else body
        elif info.strip():
            body = listing(*shlex.split(info))
        return f"```{language}{info}\n{body}```"

    def files(match):
        every = sections()
        names = [path for section in match.group(1).split("; ") for path in every[section]]
        return f"<!-- files: {match.group(1)} -->\n" + "".join(f"- `{path}`\n" for path in names)
    return FILES.sub(files, FENCE.sub(block, text))


def unclaimed():
    """Sections of docs/chapters that are not in exactly one chapter of the book."""
    claimed = [name for path in chapters() for match in FILES.finditer(path.read_text())
               for name in match.group(1).split("; ")]
    every = sections()
    return ([f"section {name!r} is in {claimed.count(name)} chapters" for name in every if claimed.count(name) != 1]
            + [f"no section {name!r} in docs/chapters" for name in claimed if name not in every])


def visit(run, write):
    """Checks the chapters, or writes them; returns what is wrong."""
    wrong = unclaimed()
    for path in checked() if not wrong else []:
        text = path.read_text()
        try:
            now = filled(text, run)
        except (ValueError, OSError) as error:
            wrong.append(f"{path.name}: {error}")
            continue
        wrong += figures(path, write) if run else []
        if now != text and write:
            path.write_text(now)
        elif now != text:
            line = next((n for n, (a, b) in enumerate(zip(text.splitlines(), now.splitlines()), 1) if a != b), 0)
            wrong.append(f"{path.name}:{line} is not what the source or program says now: 'make book-fill', and read it again")
    return wrong


STYLE = """body{max-width:48rem;margin:2rem auto;padding:0 1rem;font:1.05rem/1.55 Georgia,serif;color:#222;background:#fdfdfb}
pre,code{font:.86rem/1.4 ui-monospace,Menlo,monospace;background:#f3f3ee}pre{padding:.8rem;overflow-x:auto;border-left:3px solid #c9b98a}
table{border-collapse:collapse;display:block;overflow-x:auto}td,th{border:1px solid #ccc;padding:.25rem .5rem;text-align:left;vertical-align:top}
nav{display:flex;justify-content:space-between;gap:1rem;font-size:.95rem}.source{margin:1rem 0 -.9rem;font-size:.8rem;color:#666}
h1,h2{line-height:1.2}a{color:#0b5394}img{max-width:100%}"""


def folder_link(source, match):
    """A link to a folder leads to its README; where it has none it is only its words."""
    link, words = match.groups()
    folder = source.parent / link
    if not folder.is_dir():
        return match[0]
    return f'<a href="{link.rstrip("/")}/README.md">{words}</a>' if (folder / "README.md").is_file() else words


def page(source, out):
    """One Markdown file as HTML at the same place under `out`."""
    import markdown
    text = FENCE.sub(lambda m: (f'<p class="source">{html.escape(shlex.split(m[2])[0])}</p>\n\n' if m[2].strip() else "")
                     + f"```{m[1]}\n{m[3]}```", source.read_text())
    text = text.replace("<details>", '<details markdown="1">')
    body = markdown.markdown(text, extensions=["fenced_code", "tables", "toc", "md_in_html"])
    body = re.sub(r"<p>(<summary>.*?</summary>)</p>", r"\1", body)
    for link in re.findall(r'(?:href|src)="(?!\w+:)([^"#]+)', body):  # what is no text comes along as it is
        file = (source.parent / link).resolve()
        if file.is_file() and file.suffix != ".md" and file.is_relative_to(ROOT):
            copy = out / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    body = re.sub(r'<a href="(?!\w+:)([^"#]+)">(.*?)</a>', lambda m: folder_link(source, m), body)
    body = re.sub(r'href="(?!\w+:)([^"#]+)\.md(#[^"]*)?"', r'href="\1.html\2"', body)
    top = os.path.relpath(ROOT, source.parent)
    order = chapters()
    links = [f'<a href="{top}/docs/book/README.html">The book</a>', f'<a href="{top}/README.html">Swiftlet</a>']
    if source in order:
        place = order.index(source)
        before, after = order[place - 1:place], order[place + 1:place + 2]
        links = ([f'<a href="{p.stem}.html">&larr; {p.stem[3:]}</a>' for p in before] + links[:1]
                 + [f'<a href="{p.stem}.html">{p.stem[3:]} &rarr;</a>' for p in after])
    nav = f'<nav>{"".join(links)}</nav>'
    title = html.escape(next((line[2:] for line in source.read_text().splitlines() if line.startswith("# ")), source.stem))
    target = out / source.relative_to(ROOT).with_suffix(".html")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(f'<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
                      f"<title>{title}</title><style>{STYLE}</style>\n{nav}\n{body}\n{nav}</html>\n")


def write_html(out):
    names = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in names:
        page(ROOT / name, out)
    print(f"{out}/docs/book/README.html")


def main(arguments):
    if arguments[:1] == ["html"] and len(arguments) == 2:
        return write_html(Path(arguments[1]).resolve())
    if arguments[:1] not in (["check"], ["fill"]) or arguments[1:] not in ([], ["--run"]):
        sys.exit(__doc__)
    wrong = visit(run="--run" in arguments, write=arguments[0] == "fill")
    for line in wrong:
        print(f"docs/book.py: {line}", file=sys.stderr)
    sys.exit(1 if wrong else 0)


main(sys.argv[1:])
