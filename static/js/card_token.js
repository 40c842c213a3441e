// Turns the card's data into a one-time token at the provider, in the browser. Only the token is posted.
"use strict";

(() => {
  const form = document.getElementById("card-form");
  const problem = document.getElementById("card-problem");
  const newCard = document.getElementById("new-card");
  const field = (id) => document.getElementById(id);

  const messages = {
    "10": "カード番号を確認してください。",
    "11": "有効期限を確認してください。",
    "12": "セキュリティコードを確認してください。",
    "13": "カード名義を確認してください。",
    "9": "決済代行会社が混み合っています。しばらくしてからもう一度お試しください。",
  };

  function tell(text) {
    problem.replaceChildren();
    const line = document.createElement("p");
    line.className = "alert alert-danger";
    line.textContent = text;
    problem.append(line);
  }

  function messageFor(code) {
    const key = Object.keys(messages).find((start) => code.startsWith(start));
    return key ? messages[key] : "カード情報を確認できませんでした。もう一度入力してください。";
  }

  function expiry() {
    const parts = field("card-expiry").value.match(/^\s*(\d{1,2})\s*\/?\s*(\d{2})\s*$/);
    return parts ? parts[2] + parts[1].padStart(2, "0") : "";
  }

  async function tokenize() {
    const answer = await fetch(form.dataset.tokenUrl, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        shopId: form.dataset.shopId,
        cardno: field("card-number").value.replace(/[\s-]/g, ""),
        expire: expiry(),
        securitycode: field("card-code").value.trim(),
        holdername: field("card-holder").value.trim(),
        tokennumber: 1,
      }),
    });
    return answer.json();
  }

  // A card on file needs no number: its choice puts the inputs away.
  const showInputs = () => {
    const chosen = form.querySelector("input[name=stored]:checked");
    newCard.hidden = newCard.disabled = Boolean(chosen && chosen.value);
  };
  form.addEventListener("change", showInputs);
  addEventListener("pageshow", showInputs);

  form.addEventListener("submit", async (event) => {
    if (newCard.disabled || field("id_token").value) {
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    const button = form.querySelector("button[type=submit]");
    button.disabled = true;
    try {
      const answer = await tokenize();
      const token = answer.tokenObject && answer.tokenObject.token;
      if (answer.resultCode !== "000" || !token) {
        tell(messageFor(String(answer.resultCode)));
        return;
      }
      field("id_token").value = Array.isArray(token) ? token[0] : token;
      for (const id of ["card-number", "card-expiry", "card-code", "card-holder"]) {
        field(id).value = "";
      }
    } catch {
      tell("決済代行会社に接続できませんでした。しばらくしてからもう一度お試しください。");
      return;
    } finally {
      button.disabled = false;
    }
    form.requestSubmit();
  });
})();
