// The notebook's face: draws what Python's session sees, tells Python what the person does. Follows face.js in one module.
//
// Knows anywidget's model: `view` is the session's view, messages go by model.send. Has no connection: that is Python's.

export default {
  render({ model, el }) {
    let received = performance.now();
    const view = () => {
      const now = model.get("view");
      if (!now.link) return { room: "", name: "", lines: [], people: [], typing: [], link: { state: "connecting", trouble: "" } };
      const since = (performance.now() - received) / 1000;
      const retryIn = now.link.retry_in === null ? null : Math.max(0, now.link.retry_in - since);
      return { ...now, link: { ...now.link, retry_in: retryIn } };
    };
    const tell = (what, more = {}) => model.send({ do: what, ...more });
    let looked = null;
    const session = {
      view,
      say(text) {
        const { limits } = view();
        const length = [...text].length;
        if (length > limits.text) return `That is ${length.toLocaleString("en")} characters; a message holds ${limits.text.toLocaleString("en")}.`;
        tell("say", { text });
        return "";
      },
      typing: (on) => tell("typing", { on }),
      looking(on) {
        if (on === looked && !(on && view().unread)) return;
        looked = on;
        tell("looking", { on });
      },
      older: () => view().more && tell("older"),
      retry: (key) => tell("retry", { key }),
      discard(key) {
        tell("discard", { key });
        return view().lines.find((line) => line.key === key)?.text;
      },
      hurry: () => tell("hurry"),
    };
    el.classList.add("chat-notebook");
    const draw = mount(el, session);
    const changed = () => {
      received = performance.now();
      draw();
    };
    model.on("change:view", changed);
    draw();
    const counting = setInterval(() => view().link.state !== "online" && draw(), 500);
    return () => {
      clearInterval(counting);
      model.off("change:view", changed);
    };
  },
};
