"use strict";
(() => {
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const MOST_OPENED = 20;
  const bar = document.querySelector(".search");
  const tools = document.querySelector(".tools");
  const items = all(".item");
  const texts = new Map();

  const open = (node) => {
    for (let inner = node; inner; inner = inner.parentElement) {
      if (inner.tagName === "DETAILS") inner.open = true;
    }
  };

  // The address holds either a place on the page, or a filter: #?words=fix_network&verdict=failed,passed
  const filterOf = (hash) => new URLSearchParams(hash.startsWith("#?") ? hash.slice(2) : "");
  const boxes = tools ? all("[name=verdict]", tools) : [];
  const words = bar && bar.elements.words;

  const textOf = (item) => {
    if (!texts.has(item)) texts.set(item, item.textContent.toLowerCase());
    return texts.get(item);
  };

  const show = () => {
    const sought = words ? words.value.toLowerCase().split(/\s+/).filter(Boolean) : [];
    const verdicts = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    for (const hit of all(".hit")) hit.classList.remove("hit");
    let found = 0;
    let opened = 0;
    for (const item of items) {
      const isWanted = !item.dataset.verdict || verdicts.has(item.dataset.verdict);
      item.hidden = !isWanted || !sought.every((word) => textOf(item).includes(word));
      if (item.hidden || !sought.length) continue;
      found += 1;
      for (const exchange of all(".exchange", item)) {
        if (opened >= MOST_OPENED) break;
        const text = exchange.textContent.toLowerCase();
        if (!sought.some((word) => text.includes(word))) continue;
        exchange.classList.add("hit");
        open(exchange.parentElement);
        opened += 1;
      }
    }
    for (const section of all("main section, .group, #not-verified")) {
      if (section.querySelector(".item")) section.hidden = !section.querySelector(".item:not([hidden])");
    }
    document.getElementById("clauses").hidden = false;
    const clauses = items.filter((item) => item.dataset.verdict);
    const shown = clauses.filter((item) => !item.hidden).length;
    if (tools) {
      tools.querySelector(".found").textContent =
        shown === clauses.length ? "" : `${shown} of ${clauses.length} clauses`;
    }
    if (bar) bar.querySelector(".found").textContent = sought.length ? `${found} found` : "";
  };

  const remember = () => {
    const filter = new URLSearchParams();
    if (words && words.value.trim()) filter.set("words", words.value.trim());
    if (boxes.some((box) => !box.checked)) {
      filter.set("verdict", boxes.filter((box) => box.checked).map((box) => box.value).join(","));
    }
    const text = filter.toString();
    history.replaceState(null, "", text ? `#?${text}` : "#");
  };

  // A filter is applied; a link to something inside closed details opens them.
  const follow = () => {
    if (location.hash.startsWith("#?")) {
      const filter = filterOf(location.hash);
      if (words) words.value = filter.get("words") || "";
      const wanted = filter.has("verdict") ? new Set(filter.get("verdict").split(",")) : null;
      for (const box of boxes) box.checked = !wanted || wanted.has(box.value);
      show();
      document.getElementById(wanted ? "clauses" : "main").scrollIntoView();
      return;
    }
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.closest("[hidden]")) {
      if (words) words.value = "";
      for (const box of boxes) box.checked = true;
      show();
    }
    open(target);
    target.scrollIntoView();
  };
  addEventListener("hashchange", follow);

  // Paper has its own colours, and what follows from a cause is no less broken.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details.followers:not([open])");
    for (const details of closed) details.open = true;
    document.documentElement.classList.add("printing");
  });
  addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
    document.documentElement.classList.remove("printing");
  });

  const changed = () => {
    show();
    remember();
  };
  if (bar) {
    bar.addEventListener("input", changed);
    bar.addEventListener("submit", (event) => event.preventDefault());
    bar.hidden = false;
  }
  if (tools) {
    tools.addEventListener("input", changed);
    tools.addEventListener("submit", (event) => event.preventDefault());
    tools.elements.toggle.addEventListener("click", (event) => {
      const opens = event.target.textContent === "Open all";
      for (const clause of all("details.clause")) clause.open = opens;
      event.target.textContent = opens ? "Close all" : "Open all";
    });
    tools.hidden = false;
  }
  for (const link of all("a[data-verdict]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      location.hash = `?verdict=${link.dataset.verdict}`;
    });
  }

  // What is to be pasted can be copied, once somebody comes near it.
  const offer = (pre) => {
    if (pre.parentElement.matches(".copied")) return;
    const frame = document.createElement("div");
    frame.className = "copied";
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy this ${pre.dataset.copy}`);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(pre.textContent);
      button.textContent = "Copied";
    });
    pre.replaceWith(frame);
    frame.append(pre, button);
  };
  for (const pre of all("pre[data-copy]")) {
    const folded = pre.closest("details.exchange");
    if (folded) folded.addEventListener("toggle", () => offer(pre), { once: true });
    else offer(pre);
  }

  const step = (by) => {
    const stops = all(".item:not([hidden])").filter((item) => item.offsetParent);
    const at = stops.findIndex((item) => item.contains(document.activeElement));
    const next = stops[at < 0 && by < 0 ? stops.length - 1 : at + by];
    if (!next) return;
    const focus = next.querySelector("summary, a");
    focus.focus();
    next.scrollIntoView({ block: "nearest" });
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping = event.target.matches("input, textarea, select");
    if (event.key === "Escape" && event.target === words && words.value) {
      words.value = "";
      changed();
    } else if (!isTyping && event.key === "/" && words) {
      event.preventDefault();
      words.focus();
    } else if (!isTyping && event.key === "j") step(1);
    else if (!isTyping && event.key === "k") step(-1);
  });
  for (const keys of all(".keys")) keys.hidden = false;

  follow();
})();
