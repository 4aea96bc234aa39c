// What a browser shows of the elements that carry the given stamps.
(stamps) => {
  const pen = document.createElement("canvas").getContext("2d", {
    willReadFrequently: true,
  });
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) =>
    [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const chain = (element) => {
    const found = [];
    for (let each = element; each; each = each.parentElement) found.push(each);
    return found;
  };
  const canvas = () => {
    const dark = getComputedStyle(document.documentElement).colorScheme;
    return matchMedia("(prefers-color-scheme: dark)").matches &&
      dark.includes("dark")
      ? [18, 18, 18, 1]
      : [255, 255, 255, 1];
  };
  const behind = (element) =>
    chain(element)
      .reverse()
      .reduce(
        (below, each) => over(rgba(getComputedStyle(each).backgroundColor), below),
        canvas(),
      );
  const painted = (element) =>
    chain(element).some((e) => getComputedStyle(e).backgroundImage !== "none");
  const boxed = (element) =>
    chain(element.parentElement).some((each) => {
      if (each === document.body || each === document.documentElement) return false;
      const cut = getComputedStyle(each).overflow !== "visible";
      const small = each.clientHeight < 0.8 * innerHeight;
      const hides =
        each.scrollHeight > each.clientHeight + 2 ||
        each.scrollWidth > each.clientWidth + 2;
      return cut && small && hides && each.clientHeight > 0;
    });
  // WCAG 2.5.8 leaves out what the browser sizes and the author did not touch.
  const plain = {};
  const isPlain = (element, style) => {
    const kind = element.tagName + element.type;
    if (!["BUTTON", "INPUT", "SELECT"].includes(element.tagName)) return false;
    if (!plain[kind]) {
      const fresh = element.cloneNode(true);
      fresh.removeAttribute("id");
      fresh.style.cssText = "all: revert !important";
      document.body.append(fresh);
      const { fontSize, paddingTop, borderTopWidth } = getComputedStyle(fresh);
      plain[kind] = { fontSize, paddingTop, borderTopWidth, height: fresh.clientHeight };
      fresh.remove();
    }
    return ["fontSize", "paddingTop", "borderTopWidth"].every(
      (name) => style[name] === plain[kind][name],
    ) && element.clientHeight >= plain[kind].height - 1;
  };
  const isOn = (element) => {
    if (element.tagName === "SELECT") return element.selectedOptions.length > 0;
    if ("checked" in element && element.checked) return true;
    return ["aria-checked", "aria-pressed"].some(
      (name) => element.getAttribute(name) === "true",
    );
  };
  const reached = (element, rect) => {
    const x = rect.left + rect.width / 2;
    const y = rect.top + rect.height / 2;
    const hit = document.elementFromPoint(x, y);
    if (!hit) return false;
    const labels = [...(element.labels || [])];
    return (
      element.contains(hit) ||
      labels.some((label) => label.contains(hit)) ||
      (hit.contains(element) && element.closest("label, a, button") === hit)
    );
  };
  const look = (element) => {
    const style = getComputedStyle(element);
    scrollTo(0, 0);
    const rect = element.getBoundingClientRect();
    const first = { x: rect.x + scrollX, y: rect.y + scrollY };
    element.scrollIntoView({ block: "center", behavior: "instant" });
    const now = element.getBoundingClientRect();
    const back = behind(element);
    const outside = element.parentElement ? behind(element.parentElement) : back;
    const isShown =
      element.checkVisibility({ visibilityProperty: true }) &&
      rect.width * rect.height > 0;
    return {
      ...first,
      width: rect.width,
      height: rect.height,
      room:
        rect.height -
        ["paddingTop", "paddingBottom", "borderTopWidth", "borderBottomWidth"].reduce(
          (sum, name) => sum + parseFloat(style[name]),
          0,
        ),
      shown: isShown,
      opacity: chain(element).reduce(
        (o, each) => o * parseFloat(getComputedStyle(each).opacity),
        1,
      ),
      ink: over(rgba(style.color), back).slice(0, 3),
      back: back.slice(0, 3),
      outside: outside.slice(0, 3),
      edge:
        parseFloat(style.borderTopWidth) > 0 && style.borderTopStyle !== "none"
          ? over(rgba(style.borderTopColor), outside).slice(0, 3)
          : null,
      painted: painted(element),
      pixels: parseFloat(style.fontSize),
      leading: style.lineHeight === "normal" ? null : parseFloat(style.lineHeight),
      weight: parseInt(style.fontWeight, 10),
      family: style.fontFamily,
      plain: isPlain(element, style),
      boxed: boxed(element),
      reached: isShown && reached(element, now),
      on: isOn(element),
      disabled:
        element.matches(":disabled") ||
        element.getAttribute("aria-disabled") === "true" ||
        style.pointerEvents === "none",
      focused: document.activeElement === element,
    };
  };
  const looks = {};
  for (const stamp of stamps) {
    const element = document.querySelector(`[data-ck-lint="${stamp}"]`);
    if (element) looks[stamp] = look(element);
  }
  scrollTo(0, 0);
  return {
    looks,
    body: parseFloat(getComputedStyle(document.body).fontSize),
    page: document.documentElement.scrollWidth,
  };
};
