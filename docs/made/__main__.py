"""`python -m docs.made`: writes the parts of the handbook that are made from the code."""

from docs.made import filled, pages

for page in pages():
    page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
