// Sends events to a stub with Splunk's own client, so that its request can be compared with ours.
//
// Standard input: {"url": "http://127.0.0.1:…", "token": "…", "contexts": [{message, metadata}]}.
const { Logger } = require('splunk-logging');

const given = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const logger = new Logger({ token: given.token, url: given.url, maxBatchCount: 0, maxRetries: 0 });
// The client wraps each message into {message, severity}; the plain event is what its documents
// offer a formatter for.
logger.eventFormatter = (message) => message;
for (const context of given.contexts) logger.send(context);
logger.flush((error, response, body) => {
  if (error) throw error;
  console.log(JSON.stringify({ status: response.statusCode, body }));
});
