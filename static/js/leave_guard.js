// Warns before a changed form[data-leave-guard] is left. Links ask in #leave-dialog (保存して移動 /
// 保存せずに移動) when the page has one; closing the tab and going back ask in the browser's own words.
(() => {
  "use strict";

  const form = document.querySelector("form[data-leave-guard]");
  if (!form) return;
  const dialog = document.getElementById("leave-dialog");
  const next = form.elements.namedItem("next");
  const state = () => new URLSearchParams(new FormData(form)).toString();
  const start = state();
  let isLeaving = false;
  let address = "";

  // "changed" on the form marks what the server re-rendered after 計算結果を更新 and is not saved yet.
  const isChanged = () => !isLeaving && ("changed" in form.dataset || state() !== start);

  form.addEventListener("submit", (event) => {
    if (!event.defaultPrevented) isLeaving = true;
  });
  addEventListener("beforeunload", (event) => {
    if (isChanged()) event.preventDefault();
  });
  if (!dialog) return;

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (link.target === "_blank" || link.getAttribute("href").startsWith("#") || !isChanged()) return;
    event.preventDefault();
    address = link.href;
    dialog.showModal();
  });
  dialog.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-leave]")?.dataset.leave;
    if (!choice) return;
    dialog.close();
    if (choice === "save") {
      if (next) next.value = address;
      form.requestSubmit();
    } else if (choice === "discard") {
      isLeaving = true;
      location.assign(address);
    }
  });
})();
