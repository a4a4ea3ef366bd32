// Numbers and moments in the reader's own way of writing: the server cannot know it.
(() => {
  const number = new Intl.NumberFormat();
  const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const write = (element) => {
    if (element.matches("data[value]")) element.textContent = number.format(element.value);
    else if (element.matches("time[datetime]")) element.textContent = moment.format(new Date(element.dateTime));
  };
  const all = (root) => root.querySelectorAll("data[value], time[datetime]").forEach(write);
  const start = () => {
    all(document);
    new MutationObserver((changes) => {
      for (const change of changes) {
        if (change.type === "attributes") write(change.target);
        for (const added of change.addedNodes) if (added.nodeType === 1) { write(added); all(added); }
      }
    }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["value", "datetime"] });
  };
  window.importerNumber = (value) => number.format(value);
  window.importerMoment = (seconds) => moment.format(new Date(seconds * 1000));
  if (document.body) start(); else addEventListener("DOMContentLoaded", start);
})();
