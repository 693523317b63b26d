import { type Context, Hono } from 'hono'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import type { Clock } from '../../clock.ts'
import { parseAddress } from '../../subscriber/address.ts'
import { askedAgain, findWish, type KnownWish } from '../../subscriber/follow-wish.ts'
import type { SignUp } from '../../subscriber/sign-up.ts'
import { judgeDomain } from '../../subscriber/suggest.ts'
import type { SigningKey } from '../../subscriber/token.ts'
import { shownWording } from '../../subscriber/wording.ts'
import type { Pages } from '../../template.ts'
import { bodyOfAtMost } from '../body-limit.ts'
import { allowChallenge, type Challenge, pagePolicy } from '../challenge.ts'
import type { Connected } from '../client-address.ts'
import { sentIssues } from '../public/issues.ts'
import { type SecureHeaders, setHeaders } from '../secure.ts'
import { snippets } from './embed.ts'
import {
  type FormPage,
  isFormPage,
  type Posted,
  parsePosted,
  type Refill,
  signalsOf,
  signUpForm,
  wishOf,
} from './sign-up-form.ts'

export type SignUpDeps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly keys: readonly SigningKey[]
  readonly pages: Pages
  readonly hasOutbox: boolean
  readonly wire: { readonly publicUrl: string; readonly from: string; readonly replyTo: string | undefined }
  readonly challenge: Challenge
  /** Writes a sign-up down; resolves once it is committed. */
  readonly collect: (signUp: SignUp) => Promise<void>
  readonly networkOf: (c: Context<Connected>) => string
}

/**
 * The way in, as a page, a frame, and JSON. For every address that could be one, the same happens and the same is
 * answered, whoever has it (RELIABILITY S1): the sign-up is written down, and a job takes it from there.
 */
export function signUpRoutes(deps: SignUpDeps): Hono<Connected> {
  const { pages, wire } = deps
  const checkInboxFramed = pages('embed', { done: true, form: signUpForm(deps, '/embed') })
  const atMost = bodyOfAtMost(4096, (c) => refuse(deps, c, 413, tooLarge))

  return new Hono<Connected>()
    .use('/subscribe', allowChallenge(deps.challenge))
    .get('/subscribe', async (c) => formPage(deps, c, '/subscribe'))
    .get('/embed', (c) =>
      framed(deps, c).html(pages('embed', { done: false, form: signUpForm(deps, '/embed') })),
    )
    .get('/embed/snippet', (c) => c.html(pages('snippet', snippets(wire.publicUrl))))
    .post('/embed', atMost, async (c) => {
      const given = await readPosted(c)
      if (given.kind !== 'form' || given.isJson) return refuse(deps, c, 415, unsupported)
      const refill = await take(deps, c, { form: given.form }, 'embedded form')
      if (!refill) return framed(deps, c).html(checkInboxFramed)
      return framed(deps, c).html(
        pages('embed', { done: false, form: signUpForm(deps, '/embed', refill) }),
        400,
      )
    })
}

/**
 * POST /subscribe. Almost every answer here is one of two, so both are made once, headers and all: setting headers one by
 * one on each costs a seventh of the time that a sign-up takes (`test/bench/sign-up.bench.ts`).
 */
export function signUpDoor(deps: SignUpDeps & { readonly headers: SecureHeaders }): Hono<Connected> {
  const { pages, hasOutbox, headers, challenge } = deps
  const policy = { ...headers, 'Content-Security-Policy': `${pagePolicy(challenge)}; frame-ancestors 'none'` }
  const page = inAscii(pages('check-inbox', { hasOutbox, follows: false }))
  const pageToFollow = inAscii(pages('check-inbox', { hasOutbox, follows: true }))
  const pageInit = {
    status: 200,
    headers: { ...policy, ...kept, 'Content-Type': 'text/html; charset=UTF-8' },
  }
  const json = JSON.stringify({ status: 'check-your-inbox' })
  const jsonInit = { status: 202, headers: { ...policy, ...kept, 'Content-Type': 'application/json' } }
  const atMost = bodyOfAtMost(4096, (c) => {
    setHeaders(c, policy)
    return refuse(deps, c, 413, tooLarge)
  })

  return new Hono<Connected>().post('/subscribe', atMost, async (c) => {
    const given = await withWish(deps, await readPosted(c))
    const refill = given.kind === 'form' && (await take(deps, c, given, given.isJson ? 'json' : 'form'))
    if (given.kind === 'form' && !refill)
      return given.isJson
        ? new Response(json, jsonInit)
        : new Response(given.wish ? pageToFollow : page, pageInit)

    setHeaders(c, policy)
    if (given.kind !== 'form' || !refill) return refuse(deps, c, ...refusalOf(given.kind))
    return given.isJson ? c.json(complaint(refill), 400) : formPage(deps, c, '/subscribe', refill)
  })
}

const kept = { 'Cache-Control': 'no-store' }

/** The same page in characters that go over the wire as they are: it is written as often as everything else together. */
function inAscii(html: string): string {
  return html.replace(/[^\x00-\x7f]/gu, (character) => `&#${character.codePointAt(0)};`)
}

type Given =
  | {
      readonly kind: 'form'
      readonly form: Posted
      readonly isJson: boolean
      readonly wish?: KnownWish | undefined
    }
  | { readonly kind: 'unsupported' | 'unreadable' | 'unclear wish' | 'never compared' }

/** With what is to be followed, if anything is, looked up: whose address it is does not come into it. */
async function withWish({ db, clock }: SignUpDeps, given: Given): Promise<Given> {
  if (given.kind !== 'form') return given
  const asked = wishOf(given.form)
  if (asked === 'nothing') return given
  if (asked === 'unreadable') return { kind: 'unclear wish' }
  const wish = await findWish(db, asked, clock())
  return wish ? { ...given, wish } : { kind: 'never compared' }
}

/** The body by its type. `URLSearchParams` on the text, because Hono's `parseBody` costs twice as much. */
async function readPosted(c: Context): Promise<Given> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  try {
    switch (type) {
      case 'application/x-www-form-urlencoded':
        return toGiven(Object.fromEntries(new URLSearchParams(await c.req.text())), false)
      case 'application/json':
        return toGiven(await c.req.json(), true)
      case 'multipart/form-data':
        return toGiven(Object.fromEntries(await c.req.formData()), false)
      default:
        return { kind: 'unsupported' }
    }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return { kind: 'unreadable' }
    throw error
  }
}

function toGiven(fields: unknown, isJson: boolean): Given {
  const form = parsePosted(fields)
  return form ? { kind: 'form', form, isJson } : { kind: 'unreadable' }
}

/** Writes the sign-up down, or says what is wrong with it. Only what was typed decides which. */
async function take(
  deps: SignUpDeps,
  c: Context<Connected>,
  { form, wish }: { readonly form: Posted; readonly wish?: KnownWish | undefined },
  door: SignUp['method'],
): Promise<Refill | undefined> {
  const typed = form.correct || form.address
  const again = { address: typed, wish }
  const parsed = parseAddress(typed)
  if (!parsed.ok) return { ...again, problem: `Please look at the address again: ${parsed.problem}.` }
  const { address } = parsed
  const judgement = judgeDomain(address)
  if (judgement.kind === 'throwaway') return { ...again, problem: throwaway }
  if (judgement.kind === 'misspelled' && !isMeant(form, typed))
    return { ...again, ...misspelled(typed, judgement.suggestion) }
  if (!(await deps.challenge.isMet(form.altcha))) return { ...again, problem: unsolved }

  const method = door === 'form' && form.via === 'embed' ? 'embedded form' : door
  await deps.collect({
    ...{ address, method, at: deps.clock(), network: deps.networkOf(c) },
    formUrl: formUrlOf(deps, c, form, door),
    wording: door === 'json' ? 'the caller’s own' : shownWording(form.wording),
    signals: door === 'json' ? [] : signalsOf(deps, form),
    wish: wish && askedAgain(wish),
  })
  return undefined
}

function isMeant(form: Posted, typed: string): boolean {
  return form.asTyped === true || form['as-typed'] === typed
}

function misspelled(typed: string, suggestion: string): Refill {
  const problem = `Did you mean ${suggestion}? If ${typed} is right, send it once more.`
  return { address: typed, problem, suggestion }
}

/** Which page the form was on: one of ours, or what the browser tells of somebody else's, without its query. */
function formUrlOf({ wire }: SignUpDeps, c: Context, form: Posted, door: SignUp['method']): string {
  if (door === 'embedded form') return `${wire.publicUrl}/embed`
  if (door === 'form' && form.via !== 'embed')
    return `${wire.publicUrl}${isFormPage(form.page) ? form.page : '/subscribe'}`
  const told = c.req.header('referer') ?? c.req.header('origin') ?? ''
  if (!URL.canParse(told)) return 'not told'
  const { origin, pathname } = new URL(told)
  return origin === 'null' ? 'not told' : `${origin}${pathname}`.slice(0, 300)
}

function complaint({ problem, suggestion }: Refill): Record<string, string> {
  if (!suggestion) return { error: problem }
  return { error: `${problem} Add "asTyped": true to say so.`, suggestion }
}

async function formPage(deps: SignUpDeps, c: Context, page: FormPage, refill?: Refill) {
  const [latest] = await sentIssues(deps.db, 1)
  return c.html(
    deps.pages('subscribe', { form: signUpForm(deps, page, refill), latest: latest ?? '' }),
    refill ? 400 : 200,
    kept,
  )
}

/** A page that may stand in a frame on any site. */
function framed({ challenge }: SignUpDeps, c: Context): Context {
  c.header('Content-Security-Policy', `${pagePolicy(challenge)}; frame-ancestors *`)
  c.header('X-Frame-Options', undefined)
  c.header('Cross-Origin-Resource-Policy', 'cross-origin')
  c.header('Cache-Control', 'no-store')
  return c
}

type Refusal = { readonly title: string; readonly lede: string }

function refuse({ pages }: SignUpDeps, c: Context, status: 400 | 413 | 415, { title, lede }: Refusal) {
  if (c.req.header('content-type')?.startsWith('application/json')) return c.json({ error: lede }, status)
  return c.html(
    pages('message', { title, lede, kicker: 'Nothing was changed', button: '', note: '' }),
    status,
  )
}

/** Why nothing was written down, and as which status. */
function refusalOf(kind: Given['kind']): readonly [400 | 415, Refusal] {
  switch (kind) {
    case 'unsupported':
      return [415, unsupported]
    case 'never compared':
      return [400, neverCompared]
    case 'unclear wish':
      return [400, unclearWish]
    case 'form':
    case 'unreadable':
      return [400, unreadable]
  }
}

const throwaway =
  'That is a throwaway mailbox: it would be gone before the first issue. Use an address that you keep.'
const unsolved =
  'The small sum against bots was not solved, or was used before. Wait until its box is ticked, then send the form again.'
const tooLarge = {
  title: 'That was too much',
  lede: 'The form sent more than 4 KB. It has one field that matters: the address.',
}
const unsupported = {
  title: 'That is no form',
  lede: 'Send the address as a form (urlencoded or multipart), or as JSON: {"address": "name@example.com"}.',
}
const unreadable = {
  title: 'There is no address in that',
  lede: 'Expected a field "address", as a form or as JSON: {"address": "name@example.com"}.',
}
const neverCompared = {
  title: 'We have not compared that',
  lede: 'No comparison that is out has a tool or a category of that name, so there is nothing to follow. The address was not written down.',
}
const unclearWish = {
  title: 'What should be followed?',
  lede: 'Expected "follow" as {"tool": "its-slug"} or {"category": "Its name"}, and perhaps "cadence" as "weekly" or "followed". The address was not written down.',
}
