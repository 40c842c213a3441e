// Enter in an inline field of a list saves it and, when the server took it, moves on to the same field of the
// next row. A refused value stays where it is, with the cursor in it.
(() => {
  "use strict";

  let enteredRow = null;

  document.addEventListener("keydown", (event) => {
    const field = event.target.closest?.("[data-next-row]");
    enteredRow = field && event.key === "Enter" && !event.isComposing ? field.closest("tr").id : null;
  });

  document.addEventListener("htmx:afterSettle", () => {
    if (!enteredRow) return;
    const row = document.getElementById(enteredRow);
    const own = row?.querySelector("[data-next-row]");
    if (!own) return;
    const isRefused = own.getAttribute("aria-invalid") === "true";
    let target = own;
    if (!isRefused) {
      enteredRow = null;
      const fields = [...document.querySelectorAll("[data-next-row]")];
      target = fields[fields.indexOf(own) + 1] || own;
    }
    target.focus();
    target.select();
  });
})();
