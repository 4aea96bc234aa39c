// How each of the elements with the given stamps shows that it has the focus.
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
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = rgba(getComputedStyle(each).backgroundColor);
      if (colour[3] === 1) return colour.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const drawn = (element) => {
    const names = ["boxShadow", "borderTopColor", "borderTopWidth", "color",
      "backgroundColor", "textDecorationLine", "filter", "transform"];
    const around = [element, element.closest("label"), element.parentElement];
    return around
      .filter(Boolean)
      .map((each) => names.map((name) => getComputedStyle(each)[name]).join())
      .join();
  };
  const ring = (element) => {
    const style = getComputedStyle(element);
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 1) return null;
    return style.outlineStyle === "auto" ? "auto" : rgba(style.outlineColor).slice(0, 3);
  };
  const shown = {};
  for (const stamp of stamps) {
    const element = document.querySelector(`[data-ck-lint="${stamp}"]`);
    if (!element || !element.checkVisibility({ visibilityProperty: true })) continue;
    document.activeElement?.blur();
    // A slow change is not waited for: it comes at once.
    for (const each of [element, element.closest("label"), element.parentElement])
      each?.style.setProperty("transition", "none", "important");
    const before = drawn(element);
    element.focus();
    if (document.activeElement !== element || !element.matches(":focus-visible")) continue;
    shown[stamp] = {
      ring: ring(element),
      changed: drawn(element) !== before,
      outside: behind(element.parentElement),
    };
  }
  document.activeElement?.blur();
  return shown;
};
