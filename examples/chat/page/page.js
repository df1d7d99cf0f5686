// The page: asks for a name, then shows the room. Knows the form, session.js and face.js.

import { mount } from "./face.js";
import { Session } from "./session.js";

const $ = (id) => document.getElementById(id);
const address = new URL(location.href);
const form = $("join");
const kept = {
  get: () => JSON.parse(sessionStorage.getItem("chat") ?? "null"),
  set: (what) => sessionStorage.setItem("chat", JSON.stringify(what)),
};

let session = null;
let draw = null;
let asked = false; // one drawing for many changes

function changed() {
  if (asked || !draw) return;
  asked = true;
  requestAnimationFrame(redraw);
  setTimeout(redraw, 200); // a page in the background is given no frames
}

function redraw() {
  if (!asked) return;
  asked = false;
  const view = draw();
  document.title = `${view.unread ? `(${view.unread}) ` : ""}#${view.room}`;
  if (view.link.state === "refused") askName(view.link.trouble);
}

function askName(wrong = "") {
  $("wrong").textContent = wrong;
  form.hidden = false;
  $("chat").hidden = true;
  $("name").focus();
  $("name").select();
}

function enter(name, room) {
  form.hidden = true;
  $("chat").hidden = false;
  if (session) return session.rename(name);
  const url = new URL("ws", address.href.replace(/^http/, "ws"));
  url.search = url.hash = "";
  session = new Session(url, { room, name, changed, kept });
  ({ draw } = mount($("chat"), session, [themeButton()]));
  setInterval(() => session.view().link.state !== "online" && changed(), 500); // the countdown
  changed();
  document.querySelector(".chat textarea").focus();
}

function themeButton() {
  const button = Object.assign(document.createElement("button"), { className: "chat-theme", type: "button", title: "Light or dark" });
  button.textContent = "◐";
  button.onclick = () => {
    const dark = getComputedStyle(document.documentElement).colorScheme === "dark" || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("chat-theme", document.documentElement.dataset.theme);
  };
  return button;
}

form.onsubmit = (event) => {
  event.preventDefault();
  const name = $("name").value.trim();
  const room = $("room").value.trim().replace(/^#/, "").toLowerCase();
  if (!name) return askName("A name is needed.");
  if (!/^[a-z0-9][a-z0-9_-]{0,31}$/.test(room)) return askName("A room's name has 1 to 32 of a-z, 0-9, - and _.");
  localStorage.setItem("chat-name", name);
  sessionStorage.setItem("chat-entered", JSON.stringify({ name, room }));
  address.searchParams.set("room", room);
  history.replaceState(null, "", address);
  if (session && session.room !== room) return location.reload();
  enter(name, room);
};

document.documentElement.dataset.theme = localStorage.getItem("chat-theme") ?? "";
const entered = JSON.parse(sessionStorage.getItem("chat-entered") ?? "null"); // a reload of a tab asks nothing
$("name").value = entered?.name ?? localStorage.getItem("chat-name") ?? "";
$("room").value = address.searchParams.get("room") ?? entered?.room ?? "lobby";
if (entered && entered.room === $("room").value) enter(entered.name, entered.room);
else askName();
