// While a log is read: ask how far it is, and go on to the report.
import { ask } from "./dom.js";

const place = document.getElementById("waiting");
const bar = place.querySelector("progress");
const hint = place.querySelector(".hint");
for (let pause = 150; ; pause = Math.min(1000, pause * 1.3)) {
  await new Promise((go) => { setTimeout(go, pause); });
  try {
    const job = await ask(`/api/jobs/${place.dataset.id}`);
    if (job.state === "done" || job.state === "failed") break;
    bar.max = Math.max(1, job.size);
    bar.value = job.read;
    hint.textContent = job.state === "waiting" ? "Other logs are read first." : `${Math.round((100 * job.read) / Math.max(1, job.size))} % read`;
  } catch (error) {
    hint.textContent = `${error.message} Trying again.`;
  }
}
location.reload();
