import fc from 'fast-check'
import { claimBatch } from '../../../src/delivery/claim.ts'
import { recordOutcome } from '../../../src/delivery/record.ts'
import { type Decision, decide } from '../../../src/issue/decide.ts'
import type { SendOutcome } from '../../../src/mail/email.ts'
import { unsubscribe } from '../../../src/subscriber/unsubscribe.ts'
import { checkInvariants, checkReconciled } from './invariants.ts'
import type { InHand, World } from './world.ts'

type Command = fc.AsyncCommand<object, World>

/** Everything that can happen to an issue on its way, each followed by a look at the invariants. */
export function anyCommands(maxCommands: number) {
  const which = fc.nat({ max: 4 })
  return fc.commands(
    [
      ...[1, 2, 3, 4].map(() => fc.constant(command('claim', claim))),
      which.map((n) => command(`answer ${n}`, (world) => answered(world, n))),
      which.map((n) => command(`refuse ${n}`, (world) => refused(world, n))),
      which.map((n) => command(`put off ${n}`, (world) => told(world, n, putOff))),
      which.map((n) => command(`quota ${n}`, (world) => told(world, n, overQuota))),
      fc.tuple(which, fc.boolean()).map(([n, isTaken]) => command(...lost(n, isTaken))),
      fc.tuple(which, fc.boolean()).map(([n, isTaken]) => command(...dead(n, isTaken))),
      which.map((n) => command(`late call ${n} arrives`, (world) => arrives(world, n))),
      fc.constantFrom(0, 2).map((n) => command(`reader ${n} unsubscribes`, (world) => leaves(world, n))),
      fc.constant(command('reader 4 is suppressed', (world) => suppressed(world, 4))),
      fc
        .constantFrom('PT2S', 'PT61S', 'PT91S')
        .map((time) => command(`${time} pass`, (w) => w.clock.pass(time))),
      fc.constant(command('a day passes', aDayPasses)),
      fc
        .constantFrom<Decision>(
          ...seldom<Decision>('cancel', 'release', 40),
          ...seldom<Decision>('hold', 'hold', 10),
        )
        .map((decision) => command(decision, (world) => decided(world, decision))),
    ],
    { maxCommands, size: 'max' },
  )
}

/** Delivers what is left, in peace, and looks at the end of it. */
export async function settle(world: World): Promise<void> {
  await decided(world, 'release')
  for (let rounds = 0; rounds < 60; rounds += 1) {
    world.clock.pass('PT95S')
    for (let n = 0; n < 6; n += 1) await claim(world)
    while (world.inHand.length > 0) await answered(world, 0)
    await checkInvariants(world)
    if ((await openBatches(world)) === 0) return checkReconciled(world)
  }
  throw new Error('The issue does not come to an end')
}

/** One among so many: a game that is cancelled early shows little. */
function seldom<T>(one: T, others: T, many: number): readonly T[] {
  return [one, ...Array.from({ length: many }, () => others)]
}

function command(name: string, run: (world: World) => void | Promise<void>): Command {
  return {
    check: () => true,
    toString: () => name,
    async run(_, world) {
      world.step += 1
      await run(world)
      await checkInvariants(world)
    },
  }
}

const putOff: SendOutcome = {
  kind: 'retry',
  after: Temporal.Duration.from('PT1S'),
  reason: '429 rate_limit_exceeded',
}
const overQuota: SendOutcome = { kind: 'halt', reason: 'the daily quota is used up' }

async function claim(world: World): Promise<void> {
  const deps = { ...world.deps, worker: `worker-${world.step}`, repeatable: true }
  const result = await claimBatch(deps, world.issue.id)
  if (result.kind !== 'claimed') return
  const late = result.claim.members.find(({ subscriberId }) => world.left.has(subscriberId))
  if (late) throw new Error(`I2: reader ${late.subscriberId} was claimed after leaving`)
  world.inHand.push({ claim: result.claim, step: world.step })
}

async function answered(world: World, n: number): Promise<void> {
  const held = takeFrom(world.inHand, n)
  if (held) await recordOutcome(world.deps, held.claim, world.provider.take(held))
}

/** What the provider has taken it does not refuse under the same key. */
async function refused(world: World, n: number): Promise<void> {
  const held = takeFrom(world.inHand, n)
  if (!held) return
  const { provider } = world
  const isKnown = provider.knows(held.claim.idempotencyKey)
  await recordOutcome(world.deps, held.claim, isKnown ? provider.take(held) : provider.refuse(held))
}

/** An answer that has nothing to do with the batch: no call is looked at before the limits are. */
async function told(world: World, n: number, outcome: SendOutcome): Promise<void> {
  const held = takeFrom(world.inHand, n)
  if (held) await recordOutcome(world.deps, held.claim, outcome)
}

function lost(n: number, isTaken: boolean): [string, (world: World) => Promise<void>] {
  return [
    `answer ${n} is lost, ${isTaken ? 'after' : 'before'} the mails were taken`,
    async (world) => {
      const held = takeFrom(world.inHand, n)
      if (!held) return
      if (isTaken) world.provider.take(held)
      else world.zombies.push(held)
      await recordOutcome(world.deps, held.claim, { kind: 'unknown', reason: 'the connection was reset' })
    },
  ]
}

function dead(n: number, isTaken: boolean): [string, (world: World) => void] {
  return [
    `worker ${n} dies, ${isTaken ? 'after' : 'before'} the mails were taken`,
    (world) => {
      const held = takeFrom(world.inHand, n)
      if (!held) return
      if (isTaken) world.provider.take(held)
      else world.zombies.push(held)
    },
  ]
}

function arrives(world: World, n: number): void {
  const call = takeFrom(world.zombies, n)
  if (call) world.provider.take(call)
}

async function leaves(world: World, n: number): Promise<void> {
  const reader = world.readers[n]
  if (!reader) return
  await unsubscribe(world.deps, reader.publicId, 'one-click')
  if (!world.left.has(reader.id)) world.left.set(reader.id, world.step)
}

async function suppressed({ deps, left, readers, step }: World, n: number): Promise<void> {
  const reader = readers[n]
  if (!reader) return
  await deps.db
    .insertInto('suppression')
    .values({ address: reader.address, reason: 'complained', since: deps.clock() })
    .onConflict((oc) => oc.doNothing())
    .execute()
  if (!left.has(reader.id)) left.set(reader.id, step)
}

/** Keys are forgotten. No call lives that long: those under way are gone, and their workers too. */
function aDayPasses(world: World): void {
  world.clock.pass('PT25H')
  world.provider.forget()
  world.zombies.length = 0
  world.inHand.length = 0
}

async function decided({ deps, issue }: World, decision: Decision): Promise<void> {
  await decide(deps, issue.week, decision, 'eve@example.test')
}

async function openBatches({ deps, issue }: World): Promise<number> {
  const rows = await deps.db
    .selectFrom('batch as b')
    .innerJoin('issue as i', 'i.id', 'b.issue_id')
    .select('b.id')
    .where('i.id', '=', issue.id)
    .where('i.state', '=', 'sending')
    .where('b.state', 'in', ['built', 'attempting', 'unknown'])
    .execute()
  return rows.length
}

function takeFrom(calls: InHand[], n: number): InHand | undefined {
  return calls.splice(n % Math.max(1, calls.length), 1)[0]
}
