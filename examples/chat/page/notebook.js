// The notebook's face: draws what Python's session sees, tells Python what the person does. Follows message.js and face.js in
// one module.
//
// Knows anywidget's model: `view` is the session's view, messages go by model.send. Has no connection: that is Python's. A kernel
// that computes does not listen, and one that has gone never will: what was said stays in sight until Python has taken it up.

const NOTHING = { room: "", name: "", lines: [], people: [], typing: [], link: { state: "connecting", trouble: "" } };
const GONE = "The notebook's kernel has gone: run the cell again.";

export default {
  render({ model, el }) {
    let received = performance.now();
    let gone = false;
    let unheard = []; // lines that Python has not taken up
    const view = () => {
      const now = model.get("view");
      if (!now.link) return NOTHING;
      const heard = new Set(now.lines.map(({ key }) => key));
      unheard = unheard.filter(({ key }) => !heard.has(key));
      const lines = [...now.lines, ...unheard];
      if (gone) return { ...now, lines, people: [], typing: [], link: { ...now.link, state: "gone" } };
      const since = (performance.now() - received) / 1000;
      const retryIn = now.link.retry_in === null ? null : Math.max(0, now.link.retry_in - since);
      return { ...now, lines, link: { ...now.link, retry_in: retryIn } };
    };
    const tell = (what, more = {}) => model.send({ do: what, ...more });
    const say = (line) => {
      unheard = [...unheard.filter(({ key }) => key !== line.key), line];
      tell("say", { key: line.key, text: line.text });
      draw();
    };
    const fail = (trouble, fits) => {
      unheard = unheard.map((line) => (fits(line) ? { ...line, state: "failed", trouble } : line));
      draw();
    };
    const unheardOf = (key) => unheard.find((line) => line.key === key);
    let looked = null;
    const session = {
      view,
      say(text) {
        if (gone) return GONE;
        const { limits, name } = view();
        const { said, why } = message(text, limits);
        if (!why) say({ key: freshId(), seq: null, name, text: said, at: Date.now(), own: true, state: "sending", trouble: "" });
        return why;
      },
      typing: (on) => gone || tell("typing", { on }),
      looking(on) {
        if (gone || (on === looked && !(on && view().unread))) return;
        looked = on;
        tell("looking", { on });
      },
      older: () => gone || (view().more && tell("older")),
      retry(key) {
        const line = unheardOf(key);
        if (gone) return;
        if (line) say({ ...line, state: "sending", trouble: "" });
        else tell("retry", { key });
      },
      discard(key) {
        const line = view().lines.find((line) => line.key === key);
        if (!gone && !unheardOf(key)) tell("discard", { key });
        unheard = unheard.filter((line) => line.key !== key);
        draw();
        return line?.text;
      },
      hurry: () => tell("hurry"),
    };
    el.classList.add("chat-notebook");
    const { draw, leave } = mount(el, session);
    const listening = {
      "change:view": () => {
        received = performance.now();
        gone = false;
        draw();
      },
      "msg:custom": ({ refused, why }) => fail(why, ({ key }) => key === refused),
      // Of ipywidgets, where the notebook has them: the kernel restarts.
      comm_live_update: () => {
        gone = true;
        fail(GONE, () => true);
      },
    };
    for (const [event, heard] of Object.entries(listening)) model.on(event, heard);
    draw();
    const counting = setInterval(() => view().link.state !== "online" && draw(), 500);
    return () => {
      leave();
      clearInterval(counting);
      for (const [event, heard] of Object.entries(listening)) model.off(event, heard);
    };
  },
};
