// 受注編集: copying the orderer, closing the product dialog, and leading the eye to what is wrong.
(() => {
  "use strict";

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy-orderer]");
    if (!button) return;
    for (const name of button.dataset.copyOrderer.split(" ")) {
      document.getElementById(`id_delivery_${name}`).value = document.getElementById(`id_${name}`).value;
    }
    document.querySelector("[data-copy-said]").textContent = "注文者情報をお届け先にコピーしました。";
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful && event.detail.elt.matches("[data-closes-dialog]")) {
      document.getElementById("dialog").close();
    }
  });

  // A link to a field inside a closed card opens the card first.
  document.addEventListener("click", (event) => {
    const anchor = event.target.closest("a[href^='#']");
    const target = anchor && document.getElementById(anchor.getAttribute("href").slice(1));
    if (!target) return;
    for (let card = target.closest("details"); card; card = card.parentElement.closest("details")) card.open = true;
    if (target.matches("input, select, textarea, button")) {
      event.preventDefault();
      target.focus();
    }
  });

  for (const card of document.querySelectorAll("details.order-card")) {
    if (card.querySelector(".has-error, .is-invalid, .line-wrong")) card.open = true;
  }
  const notice = document.getElementById("confirm-step") || document.getElementById("form-problems");
  if (notice) notice.focus();

  // Enter in a one-line field would press the first button of the form, which adds or removes a line.
  document.getElementById("order-form")?.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("input") && !event.isComposing) {
      event.preventDefault();
      if (event.target.closest("#order-lines")) document.getElementById("order-calculate").click();
    }
  });
})();
