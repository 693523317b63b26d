import type { WorkDeps } from '../../jobs/work.ts'
import type { Mail } from '../../src/mail/email.ts'
import { sendLetters } from '../../src/subscriber/send-letters.ts'
import { recordSignUps, type SignUp, takeInSignUps } from '../../src/subscriber/sign-up.ts'
import { clockAt, type MovableClock } from './clock.ts'
import type { TestDatabase } from './database.ts'
import { newsletterWith } from './newsletter.ts'
import { openPostOffice, type PostOffice } from './post-office.ts'

/** A Monday, before any issue of week 47. */
export const monday = '2026-11-16T09:00:00Z'

export type Desk = {
  readonly deps: WorkDeps
  readonly clock: MovableClock
  readonly mail: PostOffice
  /** What the forms sent is written down, taken in, and the letters leave. */
  signUp(...signUps: readonly (string | Partial<SignUp>)[]): ReturnType<typeof takeInSignUps>
}

/** Everything between a form and a mailbox, on a test database. Each sign-up has a network of its own unless it names one. */
export function openDesk(database: TestDatabase, parts: Partial<WorkDeps> = {}): Desk {
  const clock = clockAt(monday)
  const mail = openPostOffice()
  const deps = newsletterWith(database, { clock, transport: mail, ...parts })
  let networks = 0
  return {
    deps,
    clock,
    mail,
    async signUp(...signUps) {
      const batch = signUps.map((given) => {
        networks++
        const network = `10.${networks >> 8}.${networks & 255}.0/24`
        return signUpOf({ at: clock(), network, ...(typeof given === 'string' ? { address: given } : given) })
      })
      await recordSignUps(database.db, batch)
      const fates = await takeInSignUps(deps)
      await sendLetters(deps)
      return fates
    },
  }
}

/** A sign-up as our form makes it. */
export function signUpOf(changes: Partial<SignUp> & Pick<SignUp, 'at'>): SignUp {
  return {
    ...{
      address: 'ann@example.test',
      network: '192.0.2.0/24',
      method: 'form',
      wording: '2026-11',
      signals: [],
    },
    formUrl: 'https://news.example.com/subscribe',
    ...changes,
  }
}

/** The proof in a letter's link, from the plain text. */
export function proofIn(mail: Mail | undefined): string {
  const [, token] = /\/(?:confirm|address|follow)\/([\w-]{43})$/m.exec(mail?.text ?? '') ?? []
  if (!token) throw new Error('There is no such link in that mail')
  return token
}
