// <dialog id="dialog"> opens when htmx has swapped something into it and closes when it has been emptied.
// [data-dialog-close] closes it. Esc closes it too, but not while a request from inside is under way and not
// when its content says [data-dialog-stay]. Focus goes back to what opened it.
(() => {
  "use strict";

  const dialog = document.getElementById("dialog");
  let opener = null;
  let openerId = "";

  const isBusy = () => dialog.querySelector("[aria-busy=true]") !== null;

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (dialog.open || dialog.contains(event.detail.elt)) return;
    opener = event.detail.requestConfig?.triggeringEvent?.submitter || event.detail.elt;
    openerId = opener.id;
  });

  const isEmpty = () => dialog.innerHTML.trim() === "";

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target === dialog && isEmpty() && dialog.open) dialog.close();
  });

  // Not before htmx knows what is inside: a quick Enter would post the form past it and load the whole page.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target !== dialog || isEmpty()) return;
    if (!dialog.open) dialog.showModal();
    const first = dialog.querySelector("[autofocus]") || dialog.querySelector("[data-dialog-close]");
    if (first) first.focus();
  });

  dialog.addEventListener("click", (event) => {
    if (event.target.closest("[data-dialog-close]") && !isBusy()) dialog.close();
  });

  dialog.addEventListener("cancel", (event) => {
    if (isBusy() || dialog.querySelector("[data-dialog-stay]")) event.preventDefault();
  });

  dialog.addEventListener("close", () => {
    dialog.replaceChildren();
    // The opener may have been swapped for a fresh copy of itself, or may still rest until its reply is there;
    // when it has become useless, the link of its row is the nearest thing, then [data-dialog-return], then the page.
    setTimeout(() => {
      const target = (openerId && document.getElementById(openerId)) || opener;
      const isUsable = target?.isConnected && !target.disabled;
      const nearest = isUsable ? target : target?.closest?.("tr")?.querySelector("a[href]");
      (nearest || document.querySelector("[data-dialog-return]") || document.getElementById("main")).focus();
    });
  });
})();
