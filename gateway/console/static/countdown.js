// Counts down to the moment the mail leaves. The page says everything without it.
"use strict";
for (const place of document.querySelectorAll("[data-left]")) {
  const LONG = 3600; // seconds: above this the words from the server are precise enough
  // The reader's clock may be wrong: count from what the server said was left, not to a time of day.
  const start = Date.now();
  const words = place.closest("[data-minutes]").dataset; // a list says them once for all its lines
  const tick = () => {
    const left = Math.ceil(Number(place.dataset.left) - (Date.now() - start) / 1000);
    if (left <= 0) {
      place.textContent = words.over;
      clearInterval(timer);
    } else if (left <= LONG) {
      const minutes = Math.floor(left / 60);
      place.textContent = words.minutes.replace("{m}", minutes).replace("{s}", left % 60);
    }
  };
  const timer = setInterval(tick, 1000);
  tick();
}
