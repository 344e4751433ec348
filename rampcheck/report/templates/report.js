"use strict";
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];

  // A link to something inside closed details opens them.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let node = target; node; node = node.parentElement) {
      if (node.tagName === "DETAILS") node.open = true;
    }
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();

  // Paper shows everything, in the colours of paper.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    for (const details of closed) details.open = true;
    document.documentElement.classList.add("printing");
  });
  addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
    document.documentElement.classList.remove("printing");
  });

  const tools = document.querySelector(".tools");
  const clauses = all("details.clause");
  const filter = () => {
    const words = tools.elements.words.value.toLowerCase().split(/\s+/);
    const verdicts = new Set(all(".tools [name=verdict]:checked").map((box) => box.value));
    for (const clause of clauses) {
      const text = clause.querySelector("summary").textContent.toLowerCase();
      clause.hidden = !verdicts.has(clause.dataset.verdict) || !words.every((word) => text.includes(word));
    }
    for (const section of all("section.clauses")) {
      section.hidden = !section.querySelector("details.clause:not([hidden])");
    }
    const found = clauses.filter((clause) => !clause.hidden).length;
    tools.querySelector(".found").textContent =
      found === clauses.length ? "" : `${found} of ${clauses.length} clauses`;
  };
  tools.addEventListener("input", filter);
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.elements.toggle.addEventListener("click", (event) => {
    const open = event.target.textContent === "Open all";
    for (const clause of clauses) clause.open = open;
    event.target.textContent = open ? "Close all" : "Open all";
  });
  tools.hidden = false;
})();
