import { Hono, type MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { groupCommit } from '../../db/group-commit.ts'
import type { ProviderEvent } from '../delivery/event.ts'
import { keepEvents } from '../delivery/keep-events.ts'
import { collectClicks } from '../issue/collect-clicks.ts'
import { targetReader } from '../issue/links.ts'
import type { Newsletter } from '../newsletter.ts'
import { collectSignUps } from '../subscriber/collect.ts'
import { recordSignUps } from '../subscriber/sign-up.ts'
import { loadPages } from '../template.ts'
import type { Wake } from '../wake.ts'
import { comparisonApi } from './api/comparisons.ts'
import { openApiRoutes } from './api/openapi.ts'
import { allowChallenge, openChallenge } from './challenge.ts'
import { networkReader } from './client-address.ts'
import { deskRoutes } from './editor/routes.ts'
import { healthRoutes } from './health.ts'
import { openMetrics } from './metrics.ts'
import { outboxRoutes } from './outbox.ts'
import { resendWebhook } from './provider/resend.ts'
import { categoryRoutes } from './public/categories.ts'
import { compareRoutes } from './public/compare.ts'
import { goRoutes } from './public/go.ts'
import { publicRoutes } from './public/routes.ts'
import { toolRoutes } from './public/tools.ts'
import { changeAddressRoutes } from './reader/change-address.ts'
import { confirmRoutes } from './reader/confirm.ts'
import { followLetterRoutes } from './reader/follow-letter.ts'
import { followMailRoutes } from './reader/follow-mail.ts'
import { preferencesRoutes } from './reader/preferences.ts'
import { signUpDoor, signUpRoutes } from './reader/sign-up.ts'
import { unsubscribeRoutes } from './reader/unsubscribe.ts'
import { voteRoutes } from './reader/vote.ts'
import { scriptRoutes } from './scripts.ts'
import { secure, secureHeaders, setHeaders } from './secure.ts'
import { styleRoute } from './style.ts'

/**
 * The whole web side. The outbox is there only where mail goes into files and nobody is in production. `wake` tells a
 * worker at once what would wait for the next minute without it.
 */
export function createApp(newsletter: Newsletter, wake: Wake = () => {}): Hono {
  const pages = loadPages()
  const { config, outboxFolder: folder, log } = newsletter
  const hasOutbox = config.mail.transport === 'outbox' && !config.production
  const challenge = openChallenge(config.challenge, newsletter)
  const signUp = {
    ...{ ...newsletter, pages, hasOutbox, wake, challenge },
    networkOf: networkReader({ trusted: config.trustedProxies, log }),
    collect: collectSignUps(async (batch) => {
      await recordSignUps(newsletter.db, batch)
      wake('take-in-sign-ups')
    }),
  }
  const counting = { targetOf: targetReader(newsletter.db), clicks: collectClicks(newsletter) }
  const collectEvents = groupCommit<ProviderEvent>(async (batch) => {
    await keepEvents(newsletter.db, batch)
    wake('take-in-events')
  })
  const metrics = openMetrics(newsletter)
  const headers = secureHeaders({ https: config.publicUrl.startsWith('https://') })
  const app = new Hono()
    .use(metrics.measure)
    // Before the headers that all others are given: the busiest answer comes with its own, made once.
    .route('/', signUpDoor({ ...signUp, headers }))
    .route(
      '/',
      resendWebhook({ ...newsletter, secrets: config.webhookSecrets, headers, collect: collectEvents }),
    )
    .use(secure(headers))
    .route('/', healthRoutes(newsletter))
    .route('/', metrics.routes())
    .route('/', openApiRoutes(newsletter))
    .route('/', comparisonApi({ ...newsletter, networkOf: signUp.networkOf }))
    .route('/', styleRoute())
    .route('/', scriptRoutes())
    .route('/', deskRoutes({ ...newsletter, pages, hasOutbox, wake, networkOf: signUp.networkOf }))
    .route('/', goRoutes({ ...newsletter, ...counting, networkOf: signUp.networkOf }))
    .use('/preferences/*', lettersAfter(wake))
    .use('/address/*', lettersAfter(wake))
    .route('/', unsubscribeRoutes({ ...newsletter, pages }))
    .route('/', voteRoutes({ ...newsletter, pages, networkOf: signUp.networkOf }))
    .route('/', changeAddressRoutes({ ...newsletter, pages }))
    .route('/', followMailRoutes({ ...newsletter, pages }))
    .route('/', preferencesRoutes({ ...newsletter, pages }))
    .route('/', challenge.routes())
    .route('/', signUpRoutes(signUp))
    .route('/', confirmRoutes(signUp))
    .route('/', followLetterRoutes({ ...newsletter, pages }))
    .use(bodyLimit({ maxSize: 4096, onError: (c) => c.html(message(pages, tooLarge), 413) }))
    .use('/', allowChallenge(challenge))
    .use('/compare/:slug', allowChallenge(challenge))
    .use('/tools/:slug', allowChallenge(challenge))
    .use('/categories/:slug', allowChallenge(challenge))
    .route('/', publicRoutes(signUp))
    .route('/', compareRoutes(signUp))
    .route('/', toolRoutes(signUp))
    .route('/', categoryRoutes(signUp))
  if (hasOutbox) app.route('/', outboxRoutes({ folder, pages }))
  app.notFound((c) => c.html(message(pages, notFound), 404))
  app.onError((error, c) => {
    log.error({ err: error, route: c.req.routePath }, 'request failed')
    setHeaders(c, headers)
    return c.html(message(pages, failed), 500)
  })
  return app
}

/** What a reader decides may post a letter; it need not wait for the minute. */
function lettersAfter(wake: Wake): MiddlewareHandler {
  return async (c, next) => {
    await next()
    if (c.req.method === 'POST') wake('send-letters')
  }
}

const notFound = {
  title: 'There is no such page',
  lede: 'The address may be mistyped, or the link may have been cut short by a mail program.',
}
const tooLarge = {
  title: 'That was too much',
  lede: 'The form sent more than it has fields for. Nothing was changed.',
}
const failed = {
  title: 'Something broke on our side',
  lede: 'It has been written down. Nothing you sent was half done; please try again in a minute.',
}

function message(
  pages: ReturnType<typeof loadPages>,
  { title, lede }: { title: string; lede: string },
): string {
  return pages('message', { title, kicker: '', lede, button: '', note: '' })
}
