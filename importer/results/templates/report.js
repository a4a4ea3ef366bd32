"use strict";
(() => {
  const source = document.getElementById("data");
  if (!source) return;
  const rows = JSON.parse(source.textContent);
  const perPage = 100;
  const byId = (id) => document.getElementById(id);
  const [body, q, state, code, found] = ["body", "q", "state", "code", "found"].map(byId);
  const texts = rows.map(([row, kind, problems]) => [row, kind, ...problems.flatMap((p) => [p[0], p[1], p[2], p[4]])].join(" ").toLowerCase());
  let matching = rows.map((_, i) => i);
  let page = 0;

  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const problemOf = ([column, cell, message, warning]) => {
    const line = element("div", "problem " + (warning ? "warning" : "error"));
    if (column) line.append(element("strong", "", column), " ");
    if (cell) line.append(element("code", "", cell), " ");
    line.append(message);
    return line;
  };

  const rowOf = ([row, kind, problems]) => {
    const line = element("tr");
    const number = element("th", "n", row);
    number.scope = "row";
    const key = element("span", "key " + kind);
    key.setAttribute("aria-hidden", "true");
    const status = element("td");
    status.append(key, kind);
    const issues = element("td");
    issues.append(...problems.map(problemOf));
    line.append(number, status, issues);
    return line;
  };

  const count = (n) => n.toLocaleString("en") + (n === 1 ? " row" : " rows");

  const show = () => {
    const pages = Math.max(1, Math.ceil(matching.length / perPage));
    page = Math.min(Math.max(page, 0), pages - 1);
    body.replaceChildren(...matching.slice(page * perPage, (page + 1) * perPage).map((i) => rowOf(rows[i])));
    found.textContent = matching.length === rows.length ? "" : count(matching.length) + " found.";
    byId("pager").hidden = pages === 1;
    byId("page").textContent = "Page " + (page + 1) + " of " + pages;
    byId("back").disabled = page === 0;
    byId("on").disabled = page === pages - 1;
  };

  const search = () => {
    const words = q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (i) =>
      (!state.value || rows[i][1] === state.value) &&
      (!code.value || rows[i][2].some((p) => p[4] === code.value)) &&
      words.every((word) => (/^\d+$/.test(word) ? String(rows[i][0]) === word || texts[i].includes(word) : texts[i].includes(word)));
    matching = rows.map((_, i) => i).filter(fits);
    page = 0;
    show();
  };

  const offer = (select, values) => {
    for (const value of [...new Set(values)].sort()) select.append(new Option(value, value));
  };

  offer(state, rows.map((row) => row[1]));
  offer(code, rows.flatMap((row) => row[2].map((p) => p[4])));
  q.addEventListener("input", search);
  for (const control of [state, code]) control.addEventListener("change", search);
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("back").addEventListener("click", () => { page -= 1; show(); });
  byId("on").addEventListener("click", () => { page += 1; show(); });
  byId("controls").hidden = false;
  show();
})();
