/** A worker of a storm: `node worker.ts WEEK`, with the environment of `verdict send`. Delivers until the issue is finished. `--version` only loads it. */
import { setTimeout as wait } from 'node:timers/promises'
import { deliverIssue } from '../../../src/delivery/deliver.ts'
import { findIssue } from '../../../src/issue/issue.ts'
import { openLean } from './lean.ts'
import { workerName } from './workers.ts'

if (process.argv[2] === '--version') process.exit()
const lean = await openLean(process.env, workerName(process.pid))
const issue = await findIssue(lean.db, process.argv[2] ?? '')
if (!issue) throw new Error('There is no such issue')
const stop = new AbortController()
process.on('SIGTERM', () => stop.abort())
process.stdout.write('ready\n')

for (;;) {
  const delivered = await deliverIssue(lean, issue.id, stop.signal)
  if (delivered.kind !== 'waiting') break
  await wait(100)
}
await lean.close()
