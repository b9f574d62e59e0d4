// What pages do beyond links and forms: the menu, files that are dropped, cells that are changed.
"use strict";

// On wide screens the menu is always open.
const menu = document.querySelector(".menu");
const wide = matchMedia("(min-width: 52rem)");
const place = () => { if (menu) menu.open = wide.matches; };
place();
wide.addEventListener("change", place);

// A file, dropped or picked, is sent as it is; the answer says where its page is.
for (const form of document.querySelectorAll("form[data-upload]")) {
  const zone = form.querySelector(".drop"), picked = form.querySelector("input[type=file]");
  const bar = form.querySelector("progress"), said = form.querySelector("[role=status]");
  const send = (file) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${form.dataset.upload}?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("X-CSRF-Token", form.dataset.csrf);
    request.upload.onprogress = (event) => { bar.hidden = false; bar.max = event.total; bar.value = event.loaded; };
    request.upload.onload = () => { bar.removeAttribute("value"); said.textContent = "The file is here; its rows are read."; };
    request.onerror = () => { said.textContent = "The file did not arrive: the server cannot be reached. Send it again."; bar.hidden = true; };
    request.onload = () => {
      const answer = JSON.parse(request.responseText);
      if (answer.page) { location.href = answer.page; return; }
      said.textContent = [answer.detail, answer.hint].filter(Boolean).join(" ");
      said.className = "message bad";
      bar.hidden = true;
      picked.value = "";
    };
    said.className = "";
    said.textContent = `Sending ${file.name} …`;
    request.send(file);
  };
  picked.addEventListener("change", () => { if (picked.files.length) send(picked.files[0]); });
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (event.dataTransfer.files.length) send(event.dataTransfer.files[0]);
  });
}

// A changed cell shows; how many rows are changed is said.
for (const grid of document.querySelectorAll("form[data-grid]")) {
  const said = grid.querySelector("[role=status]");
  grid.addEventListener("input", (event) => {
    const cell = event.target;
    if (!cell.matches("td input")) return;
    cell.classList.toggle("changed", cell.value !== cell.defaultValue);
    const rows = new Set([...grid.querySelectorAll("input.changed")].map((it) => it.closest("tr")));
    said.textContent = rows.size ? `${rows.size} ${rows.size === 1 ? "row is" : "rows are"} changed.` : "";
  });
}

// A form that takes a while says so, and is sent once.
for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button:not([type=button])");
    setTimeout(() => { button.disabled = true; button.textContent = form.dataset.busy; });
  });
}
