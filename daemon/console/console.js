// The incidents page: reads the API, never writes, and puts every text of a log into the page as
// text, so that whoever wrote the log line writes no markup.
"use strict";

const words = ["Low", "Medium", "High", "Extreme"];
const refreshEvery = 5000;
const pageSize = 100;

const view = {incidents: [], before: null, selected: null, utc: true};
const find = (selector) => document.querySelector(selector);

function element(name, text, classes) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (classes) made.className = classes;
  return made;
}

function time(text) {
  const made = element("time");
  made.dateTime = text;
  const at = new Date(text);
  made.textContent = view.utc ? text.slice(0, 19).replace("T", " ") + " UTC"
                              : at.toLocaleString();
  return made;
}

function severity(value) {
  return element("span", `${value} ${words[value]}`, `severity severity-${value}`);
}

function entity(about) {
  if (!about || !about.name) return element("span", "nobody in particular", "soft");
  const made = element("span", `${about.kind} `);
  made.append(element("span", about.name, "entity"));
  return made;
}

function cell(content, classes) {
  const made = element("td", undefined, classes);
  made.append(content);
  return made;
}

function reason(incident) {
  const because = (incident.because || []).join(", ");
  if (!incident.row) return "no row of the severity table applies";
  return because ? `${incident.row}: ${because}` : incident.row;
}

async function ask(path) {
  const answer = await fetch(path, {headers: {Accept: "application/json"}});
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error || `the daemon answered ${answer.status}`);
  return body;
}

function query(before) {
  const filters = new FormData(find("#filters"));
  const parameters = new URLSearchParams({limit: pageSize});
  if (filters.get("severity")) parameters.set("severity", filters.get("severity"));
  if (filters.get("state")) parameters.set("state", filters.get("state"));
  if (before) parameters.set("before", before);
  return `/api/v1/incidents?${parameters}`;
}

function row(incident) {
  const made = element("tr");
  made.dataset.number = incident.number;
  made.setAttribute("aria-selected", incident.number === view.selected);
  const open = element("button", incident.title, "link");
  open.type = "button";
  made.append(
      cell(String(incident.number), "number"), cell(severity(incident.severity)),
      cell(incident.state.replaceAll("_", " ")), cell(open), cell(entity(incident.entity)),
      cell(time(incident.changed)), cell(reason(incident)));
  made.addEventListener("click", () => select(incident.number));
  return made;
}

function draw() {
  find("#incidents tbody").replaceChildren(...view.incidents.map(row));
  find("#empty").hidden = view.incidents.length > 0;
  find("#more").hidden = !view.before;
}

// Refreshing replaces the newest page and keeps the older ones that were asked for, so the list does
// not jump under a reader.
async function refresh() {
  try {
    const page = await ask(query());
    const oldest = page.incidents.length ? page.incidents.at(-1).number : 0;
    const older = view.incidents.filter((incident) => incident.number < oldest);
    view.incidents = [...page.incidents, ...older];
    if (!older.length) view.before = page.before || null;
    draw();
    await showReports();
    const standing = find("#standing");
    standing.className = "";
    standing.replaceChildren(
        `${page.open} open of ${page.total} incidents, as of `, time(new Date().toISOString()));
  } catch (trouble) {
    const standing = find("#standing");
    standing.className = "trouble";
    standing.textContent = `The daemon does not answer: ${trouble.message}`;
  }
}

async function more() {
  const page = await ask(query(view.before));
  view.incidents.push(...page.incidents);
  view.before = page.before || null;
  draw();
}

function fact(name, ...content) {
  const meaning = element("dd");
  meaning.append(...content);
  return [element("dt", name), meaning];
}

function change(entry) {
  const made = element("li");
  const other = (entry.after || {}).incident;
  const kind = entry.kind.replaceAll("_", " ") + (other ? ` ${other}` : "");
  made.append(time(entry.when), " ", element("strong", kind),
              `: ${entry.why} `, element("span", `(${entry.who})`, "soft"));
  return made;
}

function detection(entry) {
  const made = element("tr");
  const because = element("ul");
  for (const one of entry.because || []) {
    const item = element("li", `${one.field || "anywhere"}: `);
    item.append(element("code", one.value));
    because.append(item);
  }
  made.append(cell(time(entry.time)), cell(entry.title), cell(because));
  return made;
}

// What whoever is asked for approval should know.
function plan(step) {
  const {does, undo, if_approved: yes = [], if_rejected: no = []} = step.plan || {};
  const then = (steps) => steps.map((next) => next.does).join("; ") || "nothing more";
  const made = element("p", `${step.id} would ${does}. `);
  if (undo) made.append(`It is taken back by: ${undo}. `);
  made.append(`If approved: ${then(yes)}. If rejected: ${then(no)}.`);
  return made;
}

// One playbook's run: what it has done, and what it waits for.
function run(entry) {
  const made = element("div");
  const table = element("table");
  const head = element("tr");
  for (const name of ["Step", "State", "Does", "Why", "Who"]) {
    const cell = element("th", name);
    cell.scope = "col";
    head.append(cell);
  }
  const body = element("tbody");
  const inside = Object.fromEntries(entry.steps.map((step) => [step.id, step.inside]));
  const depth = (id) => (inside[id] ? 1 + depth(inside[id]) : 0);
  for (const step of entry.steps) {
    const line = element("tr");
    const round = step.visit > 1 ? ` (${step.visit})` : "";
    line.append(cell("\u2003".repeat(depth(step.id)) + (step.name || step.id) + round),
                cell((step.state || "").replaceAll("_", " ")), cell(step.does || ""),
                cell(step.why === step.does ? "" : step.why || ""), cell(step.who || ""));
    body.append(line);
  }
  const top = element("thead");
  top.append(head);
  table.append(top, body);
  made.append(element("h3", `Playbook ${entry.playbook}: ${entry.state.replaceAll("_", " ")}`),
              table, ...entry.steps.filter((step) => step.state === "needs_approval").map(plan));
  return made;
}

async function showReports() {
  const {reports} = await ask("/api/v1/reports");
  const lines = reports.map((report) => {
    const [, year, month, day, hour, minute, second] =
        /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(report.issued) || [];
    const issued = year ? time(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
                        : element("span", report.issued);
    const html = element("a", `${report.kind[0].toUpperCase()}${report.kind.slice(1)} report`);
    html.href = report.path;
    const twin = element("a", "JSON");
    twin.href = report.json;
    const line = element("li");
    line.append(html, " of ", issued, ", ", twin);
    const pdf = report.files.find((file) => file.endsWith(".pdf"));
    if (pdf) line.append(", ", Object.assign(element("a", "PDF"), {href: pdf}));
    return line;
  });
  find("#reports ul").replaceChildren(
      ...(lines.length ? lines : [element("li", "None has been issued yet.", "soft")]));
}

// When each deadline is due, and whether it was met.
function deadlines(incident) {
  const met = {acknowledge: incident.acknowledged, contain: incident.contained,
               resolve: incident.resolved};
  return Object.entries(incident.deadlines || {}).flatMap(([name, deadline]) => fact(
      `${name[0].toUpperCase()}${name.slice(1)}`, "by ", time(deadline.due),
      deadline.missed ? element("strong", ", missed", "late") : "",
      ...(met[name] ? [", done ", time(met[name])] : []),
      name === "acknowledge" && incident.acknowledged_by ? ` by ${incident.acknowledged_by}` : ""));
}

// Who is called next and when, or how it came to its end.
function escalations(incident) {
  return (incident.escalations || []).flatMap((one) => {
    const name = `Escalation ${one.chain}`;
    if (one.next) {
      const rounds = one.repeat ? `, round ${one.next.round} of ${one.repeat + 1}` : "";
      return fact(name, `step ${one.next.step} of ${one.steps.length}${rounds} at `,
                  time(one.next.due), ` to ${(one.next.who || one.next.to).join(", ")}`);
    }
    if (one.state === "running") return fact(name, "the last step was reached, no answer yet");
    if (one.state !== "exhausted") return fact(name, `${one.state.replace("_", " ")}: ${one.why}`);
    return fact(name, element("strong", "exhausted", "late"), " since ", time(one.ended));
  });
}

function link(number, text) {
  const made = element("button", text, "link");
  made.type = "button";
  made.addEventListener("click", () => select(number));
  return made;
}

// Others that belong to it, or may.
function others(incident) {
  const made = [];
  if (incident.merged_into) {
    made.push(...fact("Merged into", link(incident.merged_into, String(incident.merged_into))));
  }
  const absorbed = incident.absorbed || [];
  if (absorbed.length) {
    made.push(...fact("Merged with", ...absorbed.flatMap((one) => [link(one, String(one)), " "])));
  }
  const related = incident.related || [];
  if (related.length) {
    const lines = element("ul");
    for (const one of related) {
      const line = element("li");
      line.append(link(one.number, String(one.number)), ` ${one.why}`);
      lines.append(line);
    }
    made.push(...fact("Related", lines));
  }
  const similar = incident.similar || [];
  if (similar.length) {
    const lines = element("ul");
    for (const one of similar) {
      const line = element("li");
      line.append(link(one.number, `${one.number}: ${one.title}`),
                  ` ${one.state.replaceAll("_", " ")} `, time(one.changed));
      lines.append(line);
    }
    made.push(...fact("About the same", lines));
  }
  return made;
}

// A list, one line each; nothing where there is none.
function listed(name, lines) {
  if (!lines.length) return [];
  const list = element("ul");
  for (const parts of lines) {
    const line = element("li");
    line.append(...parts);
    list.append(line);
  }
  return fact(name, list);
}

// Who has to be notified and was, and what people have to do.
function work(incident) {
  const roles = Object.entries(incident.roles || {}).map(([role, person]) => `${role} ${person}`);
  const duties = Object.entries(incident.duties || {}).map(([name, duty]) => [
    `${name}: ${duty.state}, due `, time(duty.due),
    duty.missed ? element("strong", ", missed", "late") : "",
    ...duty.notices.flatMap((notice) => [", sent ", time(notice.sent), ` to ${notice.to}`]),
    duty.why ? `, ${duty.why}` : ""]);
  const tasks = (incident.tasks || []).map((task) => [
    `${task.number} ${task.phase}, ${task.state}: ${task.title}`,
    task.owner ? ` (${task.owner})` : "", ...(task.due ? [", due ", time(task.due)] : []),
    task.missed ? element("strong", ", missed", "late") : "",
    task.result ? `; ${task.result}` : ""]);
  const evidence = (incident.evidence || []).map((one) => [
    `${one.number} ${one.name}: ${one.where}, with ${one.holder}, taken `, time(one.taken),
    ` by ${one.taken_by}, SHA-256 ${one.sha256}`]);
  const remarks = Object.entries(incident.remarks || {}).flatMap(([part, of]) => of.map(
      (remark) => [`${part.replaceAll("_", " ")}: ${remark.text} (${remark.who}, `,
                   time(remark.when), ")"]));
  return [...(incident.type ? fact("Type", incident.type.replaceAll("_", " ")) : []),
          ...(roles.length ? fact("Roles", roles.join(", ")) : []), ...listed("Notify", duties),
          ...listed("To be done", tasks),
          ...listed("Evidence", evidence), ...listed("Remarks", remarks)];
}

async function select(number) {
  view.selected = number;
  const [incident, {runs}] = await Promise.all(
      [ask(`/api/v1/incidents/${number}`), ask(`/api/v1/runs?incident=${number}`)]);
  find("#detail").hidden = false;
  find("#detail-title").textContent = `Incident ${incident.number}: ${incident.title}`;
  find("#facts").replaceChildren(
      ...fact("Severity", severity(incident.severity), ` ${reason(incident)}`),
      ...fact("State", incident.state.replaceAll("_", " ")),
      ...fact("About", entity(incident.entity)),
      ...fact("Detections", String(incident.detection_count)),
      ...fact("First and last event", time(incident.first_event), " to ", time(incident.last_event)),
      ...deadlines(incident), ...escalations(incident), ...work(incident),
      ...others(incident));
  find("#changes").replaceChildren(...incident.changes.map(change));
  find("#runs").replaceChildren(...runs.map(run));
  find("#detections tbody").replaceChildren(...incident.detections.map(detection));
  history.replaceState(null, "", `#incident-${number}`);
  draw();
  find("#detail").scrollIntoView({block: "nearest"});
}

function close() {
  view.selected = null;
  find("#detail").hidden = true;
  history.replaceState(null, "", location.pathname);
  draw();
}

find("#filters").addEventListener("change", () => {
  view.utc = find("[name=utc]").checked;
  view.incidents = [];
  refresh();
});
find("#more").addEventListener("click", more);
find("#close").addEventListener("click", close);
document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });

const linked = /^#incident-(\d+)$/.exec(location.hash);
refresh().then(() => { if (linked) select(Number(linked[1])); });
setInterval(refresh, refreshEvery);
