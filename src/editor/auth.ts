import { createHmac } from 'node:crypto'
import { betterAuth } from 'better-auth'
import { emailOTP } from 'better-auth/plugins'
import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { MachineTimePlugin } from './machine-time.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly secret: string
  readonly https: boolean
  readonly codeMinutes: number
}

/** Seconds without a request after which a session is over. */
const idle = 3_600

/**
 * better-auth on our own tables and clock, used as a library: none of its routes is mounted, so what it offers besides
 * (sign-up, passwords, other providers) does not exist on the web. Limits are ours, because its own are per process.
 */
export function openAuth({ db, clock, secret, https, codeMinutes }: Deps) {
  return betterAuth({
    appName: 'Weekly Verdict',
    baseURL: 'http://desk.invalid',
    secret,
    database: { db: db.withoutPlugins().withPlugin(new MachineTimePlugin(clock)), type: 'postgres' },
    user: { modelName: 'editor', fields: { email: 'address', emailVerified: 'email_verified', ...times } },
    session: {
      modelName: 'editor_session',
      fields: {
        ...{ userId: 'editor_id', expiresAt: 'expires_at', ipAddress: 'ip_address', userAgent: 'user_agent' },
        ...times,
      },
      ...{ expiresIn: idle, updateAge: 60 },
    },
    verification: { modelName: 'editor_code', fields: { expiresAt: 'expires_at', ...times } },
    plugins: [
      emailOTP({
        ...{ otpLength: 6, expiresIn: codeMinutes * 60, allowedAttempts: 5, disableSignUp: true },
        // A dump of the table is not enough to try all million codes against.
        storeOTP: {
          hash: async (code) => createHmac('sha256', secret).update(`code\n${code}`).digest('base64url'),
        },
        sendVerificationOTP: async () => {
          throw new Error('Codes are mailed by src/editor/mail-code.ts')
        },
      }),
    ],
    advanced: {
      // Our migrations keep the tables; it would miss the one for passwords and providers, and stop the process.
      database: { validateSchema: false },
      useSecureCookies: false,
      cookies: {
        session_token: {
          name: https ? '__Host-desk' : 'desk',
          attributes: { secure: https, httpOnly: true, sameSite: 'lax', path: '/' },
        },
      },
    },
    ...{ rateLimit: { enabled: false }, telemetry: { enabled: false }, logger: { disabled: true } },
  })
}

const times = { createdAt: 'created_at', updatedAt: 'updated_at' }
