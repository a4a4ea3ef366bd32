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
  window.importerNumber = (value) => number.format(value);
  window.importerMoment = (seconds) => moment.format(new Date(seconds * 1000));
  if (document.body) start(); else addEventListener("DOMContentLoaded", start);
})();
