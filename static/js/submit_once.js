// A clicked button is dead until the reply is there: no second click, no second Enter.
// The server refuses the second one anyway; this only spares the operator the question.
(() => {
  "use strict";

  function buttonsOf(element) {
    if (element.matches("button, input[type=submit]")) return [element];
    const inside = [...element.querySelectorAll("button:not([type=button]), input[type=submit]")];
    const outside = element.id ? [...document.querySelectorAll(`button[form="${CSS.escape(element.id)}"]`)] : [];
    return [...inside, ...outside];
  }

  function rest(element) {
    element.setAttribute("aria-busy", "true");
    for (const button of buttonsOf(element)) {
      if (button.disabled) continue;
      button.disabled = true;
      button.dataset.resting = "";
    }
  }

  function wake(element) {
    element.removeAttribute("aria-busy");
    for (const button of buttonsOf(element)) {
      if (!("resting" in button.dataset)) continue;
      delete button.dataset.resting;
      button.disabled = false;
    }
  }

  const isBusy = (element) => element.getAttribute("aria-busy") === "true";
  const isActor = (element) => element.matches("form, button");

  document.addEventListener("htmx:beforeRequest", (event) => {
    const element = event.detail.elt;
    if (!isActor(element)) return;
    if (isBusy(element)) event.preventDefault();
    else rest(element);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (isActor(event.detail.elt)) wake(event.detail.elt);
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.target === "_blank" || event.submitter?.formTarget === "_blank") return;
    if (isBusy(form)) {
      event.preventDefault();
      return;
    }
    // After this turn, so that the clicked button's own name and value are still sent.
    setTimeout(() => rest(form));
  });

  // A page taken from the browser's memory by the back button must not stay dead.
  addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form[aria-busy=true]").forEach(wake);
  });
})();
