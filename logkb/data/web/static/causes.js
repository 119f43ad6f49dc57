// The list of causes: a filter.
const box = document.querySelector(".filter");
const input = document.getElementById("filter");
box.hidden = false;
input.addEventListener("input", () => {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const family of document.querySelectorAll(".family")) {
    let some = false;
    for (const item of family.querySelectorAll("li")) {
      item.hidden = !words.every((word) => item.dataset.words.includes(word));
      some ||= !item.hidden;
      shown += item.hidden ? 0 : 1;
    }
    family.hidden = !some;
  }
  box.querySelector("[role=status]").textContent = words.length ? `${shown} shown` : "";
});
