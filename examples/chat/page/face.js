// Draws a room: `mount(root, session, extras)` makes the elements and gives `draw`, which draws `session.view()`, and `leave`,
// after which nothing listens any more.
//
// Knows elements and the shape of a view (view.py); no connection, so the page and the notebook share it. It imports nothing.
// Promises that what people say becomes text and never markup: the only ways in are textContent and attributes of our own.

const GROUP_MS = 60000; // lines of one person within a minute share a head, so its time is theirs
const HUES = 8;
const PAGE_END = 40; // px from the end that count as "at the end"

// An element with a class, properties, and children.
function make(tag, name, properties = {}, children = []) {
  const element = Object.assign(document.createElement(tag), { className: name }, properties);
  element.append(...children);
  return element;
}

// A person's colour, the same on every face: FNV-1a over the UTF-8 of the name.
export function hue(name) {
  const key = name.normalize("NFKD").toLowerCase().normalize("NFKD").replace(/[\p{Cf}\p{Mn} ]/gu, "");
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(key)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return (value >>> 8) % HUES; // its low bits are hardly mixed
}

export function typingSentence(names) {
  if (!names.length) return "";
  if (names.length === 1) return `${names[0]} is typing`;
  if (names.length <= 3) return `${names.slice(0, -1).join(", ")} and ${names.at(-1)} are typing`;
  return `${names[0]}, ${names[1]} and ${names.length - 2} others are typing`;
}

// What stands above the messages while we are not in the room: [text, reason, what the button says].
export function bannerText(link) {
  const reason = link.trouble;
  if (link.state === "online" || (link.state === "connecting" && !link.was_online && !reason)) return ["", "", ""];
  if (link.state === "waiting") return [`No connection. Next attempt in ${Math.round(link.retry_in ?? 0)} s`, reason, "Connect now"];
  if (link.state === "replaced") return ["You are in this room from elsewhere now", "", "Come back here"];
  if (link.state === "gone") return ["The notebook's kernel has gone", "Run the cell again to come back", ""];
  if (link.state === "refused") return ["Not in the room", reason, ""];
  if (link.state === "closed") return ["The chat has ended", reason, "Connect again"];
  return ["No connection. Connecting …", reason, ""];
}

// The rows of a view: days, the mark of what is unread, and lines in groups.
export function rows({ lines, unread_from: unreadFrom }) {
  const found = [];
  let before = null;
  let began = 0;
  let day = "";
  for (const line of lines) {
    const date = new Date(line.at);
    let head = before === null || before.name !== line.name || before.own !== line.own;
    if (date.toDateString() !== day) {
      day = date.toDateString();
      head = true;
      const text = date.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
      found.push({ key: `day:${day}:${line.key}`, kind: "day", text });
    }
    if (line.key === unreadFrom) {
      head = true;
      found.push({ key: "unread", kind: "unread", text: "new" });
    }
    head ||= !(line.at - began >= 0 && line.at - began < GROUP_MS);
    if (head) began = line.at;
    found.push({ key: line.key, kind: "line", line, head });
    before = line;
  }
  return found;
}

export function mount(root, session, extras = []) {
  const room = make("h1", "chat-room");
  const here = make("button", "chat-here", { type: "button", title: "Who is here" });
  const bannerSaid = make("span", "chat-banner-text");
  const bannerWhy = make("span", "chat-banner-why");
  const hurry = make("button", "", { type: "button", onclick: () => session.hurry() });
  const banner = make("div", "chat-banner", { hidden: true }, [make("span", "", {}, [bannerSaid, bannerWhy]), hurry]);
  banner.setAttribute("role", "status");
  const list = make("div", "chat-lines", { tabIndex: 0 });
  list.setAttribute("role", "log");
  list.setAttribute("aria-label", "Messages");
  const nobody = make("p", "chat-nobody", { textContent: "Nobody has said anything here yet. Begin.", hidden: true });
  const people = make("ul", "");
  const count = make("h2", "");
  const aside = make("aside", "chat-people", {}, [count, people]);
  const typing = make("span", "chat-typing");
  const news = make("button", "chat-news", { type: "button", hidden: true });
  const text = make("textarea", "", { rows: 1, placeholder: "Write a message" });
  text.setAttribute("aria-label", "Write a message");
  const send = make("button", "chat-send", { title: "Send (Enter)", textContent: "Send" });
  const trouble = make("p", "chat-trouble", { hidden: true });
  trouble.setAttribute("role", "alert");
  const composer = make("form", "chat-composer", {}, [trouble, make("div", "chat-field", {}, [text, send])]);
  const top = make("header", "chat-top", {}, [room, here, ...extras]);
  const middle = make("div", "chat-middle", {}, [list, nobody, aside]);
  const chat = make("section", "chat", {}, [top, banner, middle, make("div", "chat-below", {}, [typing, news]), composer]);
  root.replaceChildren(chat);

  const elements = new Map(); // by the row's key
  let limits = { text: 4000 };
  let sticking = true; // to the end

  const atEnd = () => list.scrollHeight - list.scrollTop - list.clientHeight < PAGE_END;
  const toEnd = () => (list.scrollTop = list.scrollHeight);
  const look = () => session.looking(sticking && document.visibilityState === "visible" && document.hasFocus());
  const complain = (why) => {
    trouble.textContent = why;
    trouble.hidden = !why;
  };
  const fit = () => {
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight}px`;
    const length = [...text.value].length;
    if (length > 0.9 * limits.text) complain(`${length.toLocaleString("en")} of ${limits.text.toLocaleString("en")}`);
    else complain("");
  };

  composer.onsubmit = (event) => {
    event.preventDefault();
    if (!text.value.trim()) return;
    const why = session.say(text.value);
    if (why) return complain(why);
    text.value = "";
    fit();
    sticking = true;
    toEnd();
    text.focus();
  };
  text.onkeydown = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    composer.requestSubmit();
  };
  text.oninput = () => {
    fit();
    session.typing(text.value.trim() !== "");
  };
  text.onpaste = (event) => {
    const pasted = event.clipboardData?.getData("text") ?? "";
    if (pasted.length <= 4 * limits.text) return;
    event.preventDefault(); // it stays in the clipboard
    complain(`That paste has ${pasted.length.toLocaleString("en")} characters; a message holds ${limits.text.toLocaleString("en")}.`);
  };
  list.onscroll = () => {
    sticking = atEnd();
    look();
    if (list.scrollTop < 80) session.older();
  };
  news.onclick = () => {
    sticking = true;
    toEnd();
    look();
  };
  here.onclick = () => chat.classList.toggle("with-people");
  const left = new AbortController();
  for (const event of ["focus", "blur"]) window.addEventListener(event, look, { signal: left.signal });
  document.addEventListener("visibilitychange", look, { signal: left.signal });
  const resizes = new ResizeObserver(() => sticking && toEnd());
  resizes.observe(list);

  function leave() {
    left.abort();
    resizes.disconnect();
  }

  function makeLine({ line }) {
    const body = make("div", "chat-body");
    const head = make("div", "chat-head", {}, [make("b", "chat-name"), make("time", "")]);
    const bubble = make("div", "chat-bubble", {}, [make("span", "chat-text", { dir: "auto" }), make("span", "chat-state")]);
    body.append(head, bubble);
    return make("article", "chat-line", {}, [make("span", "chat-face", { ariaHidden: "true" }), body]);
  }

  function drawLine(element, { line, head }) {
    const drawn = `${line.state} ${head} ${line.trouble} ${line.seq}`;
    if (element.dataset.drawn === drawn) return;
    element.dataset.drawn = drawn;
    const at = new Date(line.at);
    element.className = `chat-line ${line.own ? "own" : ""} ${head ? "head" : ""} ${line.state}`;
    element.dataset.hue = hue(line.name);
    element.querySelector(".chat-face").textContent = [...line.name][0].toUpperCase();
    element.querySelector(".chat-name").textContent = line.name;
    const time = element.querySelector("time");
    time.textContent = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
    time.dateTime = at.toISOString();
    time.title = at.toLocaleString();
    element.querySelector(".chat-text").textContent = line.text;
    const state = element.querySelector(".chat-state");
    const said = { sending: "sending", sent: line.own ? "✓" : "", failed: `Not sent: ${line.trouble}` }[line.state];
    state.replaceChildren(make("span", "", { textContent: said, title: line.state }));
    if (line.state !== "failed") return;
    const again = make("button", "", { type: "button", textContent: "Send again", onclick: () => session.retry(line.key) });
    const back = make("button", "", { type: "button", textContent: "Take back" });
    back.onclick = async () => {
      const taken = (await session.discard(line.key)) ?? line.text;
      text.value = text.value ? `${text.value}\n${taken}` : taken;
      fit();
      text.focus();
    };
    state.append(again, back);
  }

  function drawRows(view) {
    const wanted = rows(view);
    const keys = new Set(wanted.map(({ key }) => key));
    for (const [key, element] of elements) {
      if (keys.has(key)) continue;
      element.remove();
      elements.delete(key);
    }
    let place = list.firstElementChild;
    for (const row of wanted) {
      let element = elements.get(row.key);
      if (!element) {
        element = row.kind === "line" ? makeLine(row) : make("div", `chat-mark ${row.kind}`, {}, [make("span", "", { textContent: row.text })]);
        elements.set(row.key, element);
      }
      if (row.kind === "line") drawLine(element, row);
      if (element === place) place = place.nextElementSibling;
      else list.insertBefore(element, place);
    }
    nobody.hidden = wanted.length > 0 || view.link.state !== "online";
  }

  function draw() {
    const view = session.view();
    limits = view.limits ?? limits;
    const first = list.scrollTop < 80 ? list.scrollHeight : null;
    room.textContent = `#${view.room}`;
    chat.dataset.link = view.link.state;
    here.textContent = view.link.state === "online" ? `${view.people.length} here` : view.link.was_online ? "offline" : view.link.state;
    const [said, why, button] = bannerText(view.link);
    bannerSaid.textContent = said;
    bannerWhy.textContent = why;
    hurry.textContent = button;
    hurry.hidden = !button;
    banner.hidden = !said;
    count.textContent = `${view.people.length} here`;
    people.replaceChildren(
      ...view.people.map((name) => {
        const item = make("li", "", {}, [make("span", "chat-who", { textContent: name, dir: "auto" })]);
        item.dataset.hue = hue(name);
        if (name === view.name) item.append(make("span", "chat-you", { textContent: "you" }));
        return item;
      }),
    );
    drawRows(view);
    if (sticking) toEnd();
    else if (first !== null && list.scrollHeight > first) list.scrollTop += list.scrollHeight - first; // older ones came above
    const sentence = typingSentence(view.typing);
    if (typing.dataset.said !== sentence) {
      typing.dataset.said = sentence;
      typing.replaceChildren(sentence, ...(sentence ? [make("i", "chat-dots", {}, [make("i", ""), make("i", ""), make("i", "")])] : []));
    }
    news.hidden = !view.unread;
    news.textContent = `↓ ${view.unread} new`;
    look();
    return view;
  }

  return { draw, leave };
}
