// A client or a worker of BullMQ, which takes orders from stdin: see ../order/order.go.
// node party.mjs FOLDER, in which npm has installed what package.json names.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { resolve } from 'node:path'

const { Queue, QueueEvents, Worker } = createRequire(resolve(process.argv[2], 'package.json'))('bullmq')

const queueName = 'road'
const payloadSize = 200
const filler = 'along the road '.repeat(20)
const result = { ok: true }
const most = 1000 // tasks that are looked at in the end

const say = (answer) => process.stdout.write(JSON.stringify(answer) + '\n')
const now = () => Math.round((performance.timeOrigin + performance.now()) * 1000)
const cpu = () => { const u = process.cpuUsage(); return u.user + u.system }

// job is the payload of the n-th task, as Go's order.NewJob.
function job(n) {
  const a = now(), b = n % 1000
  const rest = payloadSize - JSON.stringify({ a, b, name: '' }).length
  return { a, b, name: filler.slice(0, rest) }
}

function quantile(times, q) {
  if (times.length === 0) return 0
  const sorted = [...times].sort((a, b) => a - b)
  return sorted[Math.min(Math.max(Math.ceil(q * sorted.length), 1), sorted.length) - 1]
}

const quantiles = (times) => ({ p50: quantile(times, 0.5), p99: quantile(times, 0.99) })

let queue, events, worker
let enqueued = 0
const kept = []

function keep(of, id) {
  if (++enqueued % Math.max(1, Math.floor(of / most)) === 0) kept.push(id)
}

function connection({ redis }) {
  if (redis.startsWith('/')) return { path: redis, maxRetriesPerRequest: null }
  const [host, port] = redis.split(':')
  return { host, port: Number(port), maxRetriesPerRequest: null }
}

async function dial(order) {
  queue ??= new Queue(queueName, { connection: connection(order) })
  await queue.waitUntilReady()
}

// enqueue has callers add tasks, each one after the other.
async function enqueue(order) {
  const size = order.bulk || 1
  const times = new Array(Math.ceil(order.tasks / size))
  let next = 0
  const caller = async () => {
    while (next < times.length) {
      const n = next++
      const at = performance.now()
      if (order.bulk) {
        const jobs = []
        for (let i = n * size; i < Math.min((n + 1) * size, order.tasks); i++) jobs.push({ name: 'noop', data: job(i) })
        for (const j of await queue.addBulk(jobs)) keep(order.tasks, j.id)
      } else {
        keep(order.tasks, (await queue.add('noop', job(n))).id)
      }
      times[n] = (performance.now() - at) * 1000
    }
  }
  const used = cpu(), begun = now()
  await Promise.all(Array.from({ length: order.callers || 1 }, caller))
  return { begun, at: now(), cpu: cpu() - used, ...quantiles(times) }
}

// work handles tasks until the program ends.
async function work(order) {
  const lags = []
  let handled = 0, used = 0
  worker = new Worker(queueName, async (task) => {
    if (order.lags) lags.push(now() - task.data.a)
    handled++
    if (handled === order.skip) {
      used = cpu()
      say({ at: now() })
    } else if (handled === order.tasks) {
      say({ at: now(), cpu: cpu() - used, ...quantiles(lags.slice(order.skip)) })
    }
    return result
  }, { connection: connection(order), concurrency: order.slots })
  await worker.waitUntilReady()
  return {}
}

// call does one task after the other.
async function call(order) {
  if (!events) {
    events = new QueueEvents(queueName, { connection: connection(order) })
    await events.waitUntilReady()
  }
  const times = []
  for (let n = 0; n < order.tasks; n++) {
    const at = performance.now()
    const task = await queue.add('noop', job(n))
    const r = await task.waitUntilFinished(events)
    if (!r.ok) throw new Error(`task ${task.id}: the result is ${JSON.stringify(r)}`)
    times.push((performance.now() - at) * 1000)
  }
  return quantiles(times.slice(order.skip))
}

// check looks whether as many tasks are done as were ordered, and well.
async function check(order) {
  for (;;) {
    const counts = await queue.getJobCounts('completed', 'failed', 'active', 'waiting', 'delayed')
    if (counts.active > 0) continue // its handler has ended, the outcome is on its way
    if (counts.completed !== order.tasks) throw new Error(`want ${order.tasks} tasks completed: ${JSON.stringify(counts)}`)
    break
  }
  if (kept.length === 0) throw new Error('there is nothing to look at')
  for (const id of kept) {
    const task = await queue.getJob(id)
    if (!task?.returnvalue?.ok) throw new Error(`task ${id}: the result is ${JSON.stringify(task?.returnvalue)}`)
  }
  return {}
}

const verbs = { enqueue, work, call, check }

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line)
  try {
    await dial(order)
    if (!verbs[order.do]) throw new Error(`order ${order.do}: cannot be done`)
    say(await verbs[order.do](order))
  } catch (e) {
    say({ error: e.stack })
  }
}
await Promise.all([worker?.close(), events?.close(), queue?.close()])
process.exit(0)
