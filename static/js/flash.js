// Says in #flash what htmx would keep to itself: refusals, server errors, and answers that never came.
(() => {
  "use strict";

  const NO_ANSWER =
    "サーバーから応答がありませんでした。操作が実行されたかどうか分からないため、繰り返さずに画面を開き直し、結果をご確認ください。";
  const SENTENCES = {
    403: "この操作を行う権限がありません。操作は実行されていません。必要なときは管理者にご相談ください。",
    404: "対象のデータが見つかりませんでした。画面を開き直してください。",
    405: "この操作は受け付けられません。画面を開き直してください。",
    429: "操作が混み合っています。しばらく待ってから、画面を開き直してください。",
  };
  const SERVER_ERROR =
    "システムの内部で問題が起きました。同じ操作を繰り返さず、画面を開き直して結果をご確認ください。";

  function say(sentence) {
    const alert = document.createElement("div");
    alert.className = "alert alert-danger alert-dismissible";
    const text = document.createElement("span");
    text.className = "alert-text";
    text.textContent = sentence;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "btn-close";
    close.dataset.bsDismiss = "alert";
    close.setAttribute("aria-label", "このお知らせを閉じる");
    alert.append(text, close);
    // A modal dialog hides the rest of the page from screen readers: speak inside it while it is open.
    const dialog = document.querySelector("dialog[open]");
    if (dialog) {
      dialog.querySelector(".alert[data-failure]")?.remove();
      alert.dataset.failure = "";
      alert.setAttribute("role", "alert");
      dialog.prepend(alert);
      return;
    }
    document.getElementById("flash").replaceChildren(alert);
    alert.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("htmx:responseError", (event) => {
    say(SENTENCES[event.detail.xhr.status] || SERVER_ERROR);
  });
  document.addEventListener("htmx:sendError", () => say(NO_ANSWER));
  document.addEventListener("htmx:timeout", () => say(NO_ANSWER));
  document.addEventListener("htmx:swapError", () => say(SERVER_ERROR));
})();
