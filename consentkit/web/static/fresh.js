/* Nothing is chosen on a question that somebody comes back to.
 *
 * A browser can keep a page alive and show it again by its Back button, with whatever
 * was ticked on it and never sent. The person may have answered since, or be another.
 */

addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const control of document.querySelectorAll("[name^='choice.']")) {
    control.form?.reset();
  }
});
