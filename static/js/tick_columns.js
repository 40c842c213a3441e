// Columns of boxes, each with a form of its own. Inside [data-tick-columns], for each form[data-tick-form=NAME]:
//   input[data-tick=NAME]       one per row that allows it       input[data-tick-all=NAME]  ticks the page's column
//   button[data-tick-run=NAME]  dead until something is ticked   [data-tick-count]          "3件を選択中"
//   input[data-tick-scope]      "ticked" or "all" for the server
//   button[data-tick-match]     offered when the page's column is full: all that match
// How many match says [data-list-total="2,345件"], which stands outside; empty while they are being counted.
(() => {
  "use strict";

  function wireColumn(list, form) {
    const name = form.dataset.tickForm;
    const boxes = [...list.querySelectorAll(`input[data-tick="${name}"]`)];
    const pages = [...list.querySelectorAll(`input[data-tick-all="${name}"]`)];
    const runs = [...list.querySelectorAll(`button[data-tick-run="${name}"]`)];
    const count = form.querySelector("[data-tick-count]");
    const scope = form.querySelector("input[data-tick-scope]");
    const match = form.querySelector("button[data-tick-match]");

    function show() {
      const ticked = boxes.filter((box) => box.checked).length;
      const isWhole = boxes.length > 0 && ticked === boxes.length;
      if (!isWhole || !match) scope.value = "ticked";
      const isAll = scope.value === "all";
      form.classList.toggle("is-idle", ticked === 0);
      for (const page of pages) {
        page.disabled = boxes.length === 0;
        page.checked = isWhole;
        page.indeterminate = ticked > 0 && !isWhole;
      }
      for (const run of runs) run.disabled = ticked === 0;
      const total = document.querySelector("[data-list-total]")?.dataset.listTotal || "";
      const chosen = isAll ? total || "検索結果すべて" : `${ticked}件`;
      count.textContent = ticked ? `${chosen}を選択中` : "";
      if (match) {
        match.hidden = !isWhole;
        match.textContent = isAll ? "このページだけに戻す" : `検索結果${total}すべてを選択`;
        match.setAttribute("aria-pressed", String(isAll));
      }
      for (const box of boxes) {
        const row = box.closest("tr");
        row.classList.toggle("is-selected", row.querySelector("input[data-tick]:checked") !== null);
      }
    }

    for (const page of pages) {
      page.addEventListener("change", () => {
        for (const box of boxes) box.checked = page.checked;
        show();
      });
    }
    for (const box of boxes) box.addEventListener("change", show);
    match?.addEventListener("click", () => {
      scope.value = scope.value === "all" ? "ticked" : "all";
      show();
    });
    // The browser puts ticks back when the operator returns with the back button.
    addEventListener("pageshow", show);
    // The total may arrive after the rows.
    document.addEventListener("htmx:afterSettle", show);
    show();
  }

  for (const list of document.querySelectorAll("[data-tick-columns]")) {
    for (const form of list.querySelectorAll("form[data-tick-form]")) wireColumn(list, form);
  }
})();
