// Opens the text behind a button [data-bs-toggle=popover]: by click, by tap, by keyboard; closes on leaving it.
(() => {
  "use strict";

  const wire = (root) => {
    for (const button of root.querySelectorAll("[data-bs-toggle=popover]")) bootstrap.Popover.getOrCreateInstance(button);
  };

  wire(document);
  document.addEventListener("htmx:load", (event) => wire(event.detail.elt));
})();
