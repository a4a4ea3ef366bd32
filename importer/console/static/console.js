// Numbers and moments in the reader's own way of writing: the server cannot know it.
(() => {
  const number = new Intl.NumberFormat();
  const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const write = (element) => {
    if (element.matches("data[value]")) element.textContent = number.format(element.value);
    else if (element.matches("time[datetime]")) element.textContent = moment.format(new Date(element.dateTime));
  };
  const scrollable = () => document.querySelectorAll(".q-table__middle:not([tabindex])").forEach((area) => { area.tabIndex = 0; });
  const all = (root) => root.querySelectorAll("data[value], time[datetime]").forEach(write);
  const start = () => {
    all(document);
    scrollable();
    new MutationObserver((changes) => {
      for (const change of changes) {
        if (change.type === "attributes") write(change.target);
        for (const added of change.addedNodes) if (added.nodeType === 1) { write(added); all(added); }
      }
      scrollable();
    }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["value", "datetime"] });
  };
  // A file goes to the server as it is, so that it never has to be in memory as a whole.
  window.importerUpload = (input, progress, failed) => {
    const file = input.files[0], request = new XMLHttpRequest();
    if (!file) return;
    progress.hidden = false;
    request.open("PUT", `${input.dataset.address}?name=${encodeURIComponent(file.name)}`);
    request.upload.onprogress = (event) => { progress.max = event.total; progress.value = event.loaded; };
    request.onloadend = () => {
      let answer = {};
      try { answer = JSON.parse(request.response); } catch { /* not ours, or none */ }
      if (answer.next) { location.assign(answer.next); return; }
      progress.hidden = true;
      input.value = "";
      failed(answer.problem || "");
    };
    request.send(file);
  };
  // The grid of rows: what it asks for, and how a cell shows what is wrong with it.
  // A row that was just corrected stays where it is, until other rows are asked for: the rows below would move under
  // the pointer of whoever corrects the next one.
  let kept = [];
  window.importerRows = (address, text) => (kept = [], {
    getRows: async (asked) => {
      try {
        const range = `first=${asked.startRow}&count=${asked.endRow - asked.startRow}&kept=${kept.join(",")}`;
        const answer = await fetch(`${address}&${range}`, { headers: { "X-Search": encodeURIComponent(text) } });
        if (!answer.ok) throw new Error(answer.statusText);
        const page = await answer.json();
        asked.successCallback(page.rows, page.total);
      } catch { asked.failCallback(); }
    },
  });
  // Rows are asked for again when nobody is typing: an editor that is open would be closed, and its text lost.
  window.importerRefresh = (grid) => {
    if (!grid.getEditingCells().length) { grid.refreshInfiniteCache(); return; }
    const later = () => { grid.removeEventListener("cellEditingStopped", later); setTimeout(() => window.importerRefresh(grid)); };
    grid.addEventListener("cellEditingStopped", later);
  };
  const sentences = (problems) => (problems || []).map((one) => one.m).join("\n");
  const worst = (problems) => (problems || []).some((one) => one.s === "error") ? "is-wrong" : problems?.length ? "is-doubtful" : "";
  window.importerRowNumber = (cell) => cell.data?.row;
  window.importerRowClass = (cell) => `number ${worst(cell.data?.problems)}`;
  window.importerRowTooltip = (cell) => sentences(cell.data?.problems);
  window.importerCell = (at) => (cell) => cell.data?.cells[at]?.t;
  window.importerSetCell = (at) => (cell) => {
    if ((cell.newValue ?? "") === cell.data.cells[at].t) return false;
    cell.data.cells[at] = { ...cell.data.cells[at], t: cell.newValue ?? "" };
    kept = [...new Set([...kept, cell.data.row])].slice(-500);
    return true;
  };
  window.importerCellClass = (at) => (cell) => {
    const found = cell.data?.cells[at];
    return found ? `${worst(found.p)} ${found.o === undefined ? "" : "is-corrected"}` : "";
  };
  window.importerTooltip = (at) => (cell) => {
    const found = cell.data?.cells[at];
    const before = found?.o === undefined ? [] : [`${found.o || "(blank)"} → ${found.t || "(blank)"}`];
    return found ? [...(found.p || []).map((one) => one.m), ...before].join("\n") : "";
  };
  // The focused cell with what is wrong in its row; said again only where something has changed.
  let said = "";
  window.importerFocused = (grid, emit) => {
    const cell = grid.getFocusedCell(), row = cell && grid.getDisplayedRowAtIndex(cell.rowIndex)?.data;
    if (!row) return;
    const placed = (problems, at) => (problems || []).map((one) => ({ ...one, at }));
    const problems = [...placed(row.problems, -1), ...row.cells.flatMap((one, at) => placed(one.p, at))];
    const id = cell.column.getColId(), found = { row: row.row, at: id === "row" ? -1 : Number(id.slice(1)), problems };
    if (said === (said = JSON.stringify(found))) return;
    emit(found);
  };
  window.importerNumber = (value) => number.format(value);
  // How long ago something was, in the largest unit that fits.
  const ago = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  window.importerAge = (seconds) => {
    const past = Math.max(0, Date.now() / 1000 - seconds);
    const [unit, size] = units.find(([, one]) => past >= one) || units.at(-1);
    return ago.format(-Math.floor(past / size), unit);
  };
  window.importerMoment = (seconds) => moment.format(new Date(seconds * 1000));
  // A session goes on while somebody does something here; what the page does by itself is nothing of the kind.
  for (const kind of ["pointerdown", "keydown", "input", "wheel", "touchmove"]) {
    addEventListener(kind, (event) => { if (event.isTrusted && window.did_handshake) emitEvent("importer_active"); }, { capture: true, passive: true });
  }
  // Before its socket is connected, NiceGUI holds back each thing that is typed or clicked with a timer of its own: what was
  // submitted could arrive before its text. The socket keeps the order by itself, if the server takes events at once.
  let shaken = false;
  Object.defineProperty(window, "did_handshake", {
    get: () => shaken || Boolean(window.socket?.io.opts.query.implicit_handshake),
    set: (done) => { shaken = done; },
  });
  if (document.body) start(); else addEventListener("DOMContentLoaded", start);
})();
