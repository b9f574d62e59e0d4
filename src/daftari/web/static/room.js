// The menu, file uploads, changed cells and forms that take a while.
"use strict";

// On wide screens the menu is always open.
const menu = document.querySelector(".menu");
const wide = matchMedia("(min-width: 52rem)");
const place = () => { if (menu) menu.open = wide.matches; };
place();
wide.addEventListener("change", place);

// Send a file that was dropped or chosen; the answer has the address of its page.
for (const form of document.querySelectorAll("form[data-upload]")) {
  const zone = form.querySelector(".drop"), picked = form.querySelector("input[type=file]");
  const bar = form.querySelector("progress"), status = form.querySelector("[role=status]");
  const send = (file) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${form.dataset.upload}?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("X-CSRF-Token", form.dataset.csrf);
    request.upload.onprogress = (event) => { bar.hidden = false; bar.max = event.total; bar.value = event.loaded; };
    request.upload.onload = () => { bar.removeAttribute("value"); status.textContent = "Uploaded. Reading the rows …"; };
    request.onerror = () => { status.textContent = "The upload failed: the server cannot be reached. Try again."; bar.hidden = true; };
    request.onload = () => {
      const answer = JSON.parse(request.responseText);
      if (answer.page) { location.href = answer.page; return; }
      status.textContent = [answer.detail, answer.hint].filter(Boolean).join(" ");
      status.className = "message bad";
      bar.hidden = true;
      picked.value = "";
    };
    status.className = "";
    status.textContent = `Uploading ${file.name} …`;
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

// Mark changed cells, and show how many rows are changed.
for (const grid of document.querySelectorAll("form[data-grid]")) {
  const status = grid.querySelector("[role=status]");
  grid.addEventListener("input", (event) => {
    const cell = event.target;
    if (!cell.matches("td input")) return;
    cell.classList.toggle("changed", cell.value !== cell.defaultValue);
    const rows = new Set([...grid.querySelectorAll("input.changed")].map((it) => it.closest("tr")));
    status.textContent = rows.size ? `${rows.size} ${rows.size === 1 ? "row" : "rows"} changed.` : "";
  });
}

// A form that takes a while shows progress and is sent only once.
for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button:not([type=button])");
    setTimeout(() => { button.disabled = true; button.textContent = form.dataset.busy; });
  });
}
