// Ticking rows of a list. Inside [data-select-rows]:
//   input[data-select-row]   one per row          input[data-select-page]  ticks the whole page
//   [data-select-toolbar]    shown when something is ticked
//   [data-select-count]      "3件" ticked rows    input[data-select-scope] "ticked" or "all" for the server
//   button[data-select-all]  offered when the page is full: all that match
// How many match says [data-list-total="2,345件"], which stands outside; empty while they are being counted.
(() => {
  "use strict";

  function wire(list) {
    const rows = [...list.querySelectorAll("input[data-select-row]")];
    const page = list.querySelector("input[data-select-page]");
    const toolbar = list.querySelector("[data-select-toolbar]");
    const count = list.querySelector("[data-select-count]");
    const scope = list.querySelector("input[data-select-scope]");
    const all = list.querySelector("button[data-select-all]");
    if (!page || !toolbar) return;

    function show() {
      const ticked = rows.filter((row) => row.checked);
      const isWholePage = rows.length > 0 && ticked.length === rows.length;
      if (!isWholePage) scope.value = "ticked";
      const isAll = scope.value === "all";
      toolbar.hidden = ticked.length === 0;
      page.checked = isWholePage;
      page.indeterminate = ticked.length > 0 && !isWholePage;
      const total = document.querySelector("[data-list-total]")?.dataset.listTotal || "";
      count.textContent = isAll ? total || "検索結果すべて" : `${ticked.length}件`;
      if (all) {
        all.hidden = !isWholePage;
        all.textContent = isAll ? "このページだけに戻す" : `検索結果${total}すべてを選択`;
        all.setAttribute("aria-pressed", String(isAll));
      }
      for (const row of rows) row.closest("tr")?.classList.toggle("is-selected", row.checked);
    }

    page.addEventListener("change", () => {
      for (const row of rows) if (!row.disabled) row.checked = page.checked;
      show();
    });
    for (const row of rows) row.addEventListener("change", show);
    all?.addEventListener("click", () => {
      scope.value = scope.value === "all" ? "ticked" : "all";
      show();
    });
    // The browser puts ticks back when the operator returns with the back button.
    addEventListener("pageshow", show);
    // The total may arrive after the rows.
    document.addEventListener("htmx:afterSettle", show);
    show();
  }

  document.querySelectorAll("[data-select-rows]").forEach(wire);
})();
