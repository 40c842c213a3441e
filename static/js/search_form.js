// A search form keeps the address short (empty fields are not sent) and searches again when 並び順 or 表示件数
// is changed.
(() => {
  "use strict";

  const form = document.querySelector("form[data-search-form]");
  if (!form) return;
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData.entries()]) {
      if (value === "") event.formData.delete(name);
    }
  });
  for (const field of form.querySelectorAll("[data-submit-on-change]")) {
    field.addEventListener("change", () => form.requestSubmit());
  }
})();
