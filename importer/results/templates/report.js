"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const source = byId("data");
  const { rows, titles } = source ? JSON.parse(source.textContent) : { rows: [], titles: [] };
  const perPage = matchMedia("(max-width: 40rem)").matches ? 10 : 20;
  const perPrint = 100;
  const [body, q, state, kind, found] = ["body", "q", "state", "kind", "found"].map(byId);
  const texts = rows.map(([row, status, problems]) => [row, status, ...problems.flatMap((p) => [p[0], p[1], p[2], titles[p[4] - 1]])].join(" ").toLowerCase());
  const numbers = new Set(rows.map((row) => String(row[0])));
  let matching = rows.map((_, i) => i);
  let page = 0;

  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const problemOf = ([column, cell, message, warning, number]) => {
    const line = element("div", "problem " + (warning ? "warning" : "error"));
    if (column) line.append(element("strong", "", column), " ");
    if (cell) line.append(element("code", "", cell), " ");
    line.append(message);
    if (number) {
      const link = element("a", "", "How to fix");
      link.href = "#issue-" + number;
      line.append(" ", link);
    }
    return line;
  };

  const rowOf = ([row, status, problems]) => {
    const line = element("tr");
    line.id = "row-" + row;
    const number = element("th", "n", row);
    number.scope = "row";
    line.append(number);
    if (state) {
      const key = element("span", "key " + status);
      key.setAttribute("aria-hidden", "true");
      const cell = element("td", "state");
      cell.append(key, status);
      line.append(cell);
    }
    const issues = element("td");
    issues.append(...problems.map(problemOf));
    line.append(issues);
    return line;
  };

  const count = (n) => n.toLocaleString("en");

  const fill = (first, end) => {
    body.replaceChildren(...matching.slice(first, end).map((i) => rowOf(rows[i])));
    const all = count(rows.length) + (rows.length === 1 ? " row" : " rows");
    const which = matching.length === rows.length ? all : count(matching.length) + " of " + all + " found";
    const part = first > 0 || end < matching.length ? ", shown are " + count(first + 1) + " to " + count(Math.min(end, matching.length)) : "";
    found.textContent = matching.length === rows.length && !part ? "" : which + part + ".";
  };

  const show = () => {
    const pages = Math.max(1, Math.ceil(matching.length / perPage));
    page = Math.min(Math.max(page, 0), pages - 1);
    fill(page * perPage, (page + 1) * perPage);
    byId("pager").hidden = pages === 1;
    byId("page").textContent = "Page " + count(page + 1) + " of " + count(pages);
    byId("back").disabled = page === 0;
    byId("on").disabled = page === pages - 1;
  };

  const search = () => {
    const words = q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (i) =>
      (!state || !state.value || rows[i][1] === state.value) &&
      (!kind.value || rows[i][2].some((p) => p[4] === Number(kind.value))) &&
      words.every((word) => (numbers.has(word) ? String(rows[i][0]) === word : texts[i].includes(word)));
    matching = rows.map((_, i) => i).filter(fits);
    page = 0;
    show();
  };

  const choose = (number) => {
    q.value = "";
    if (state) state.value = "";
    kind.value = number;
    search();
  };

  const reach = () => {
    const name = decodeURIComponent(location.hash.slice(1));
    const at = name.startsWith("row-") ? rows.findIndex((row) => "row-" + row[0] === name) : -1;
    if (at >= 0 && !byId(name)) {
      if (!matching.includes(at)) choose("");
      page = Math.floor(matching.indexOf(at) / perPage);
      show();
    }
    const target = name && byId(name);
    if (!target) return;
    for (let outer = target.closest("details"); outer; outer = outer.parentElement.closest("details")) outer.open = true;
    document.querySelectorAll(".reached").forEach((one) => one.classList.remove("reached"));
    if (at >= 0) target.classList.add("reached");
    target.tabIndex = -1;
    target.focus({ preventScroll: true });
    target.scrollIntoView();
  };

  const startTable = () => {
    const others = byId("others");
    if (others) others.closest("details").remove();
    const has = (values) => [...new Set(values)];
    if (state) for (const value of has(rows.map((row) => row[1])).sort()) state.append(new Option(value, value));
    const kinds = new Set(rows.flatMap((row) => row[2].map((p) => p[4])));
    titles.forEach((title, i) => { if (kinds.has(i + 1)) kind.append(new Option(title, i + 1)); });
    document.querySelectorAll("button.show").forEach((button) => {
      button.hidden = !kinds.has(Number(button.dataset.issue));
      button.addEventListener("click", () => { choose(button.dataset.issue); byId("rows").scrollIntoView(); kind.focus({ preventScroll: true }); });
    });
    q.addEventListener("input", search);
    for (const control of [state, kind]) if (control) control.addEventListener("change", search);
    byId("controls").addEventListener("submit", (event) => event.preventDefault());
    byId("back").addEventListener("click", () => { page -= 1; show(); });
    byId("on").addEventListener("click", () => { page += 1; show(); });
    byId("controls").hidden = false;
    addEventListener("beforeprint", () => fill(0, perPrint));
    addEventListener("afterprint", show);
    show();
  };

  const printed = "details:not(.operators, [open])";
  addEventListener("beforeprint", () => document.querySelectorAll(printed).forEach((one) => { one.open = true; one.dataset.print = ""; }));
  addEventListener("afterprint", () => document.querySelectorAll("[data-print]").forEach((one) => { one.open = false; delete one.dataset.print; }));

  if (source) startTable();
  addEventListener("hashchange", reach);
  document.addEventListener("click", (event) => { if (event.target.closest('a[href="' + location.hash + '"]')) reach(); });
  if (location.hash) reach();
})();
