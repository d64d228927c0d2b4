/** French for the pages beside the log. */
export const frPages = {
  // Portal
  'Audit log': 'Journal d’audit', 'Audit log for {name}': 'Journal d’audit de {name}', Pages: 'Pages', '{n} failing': '{n} en échec', Back: 'Retour',
  'Colours of the system': 'Couleurs du système', Light: 'Clair', Dark: 'Sombre',
  'Your session does not include this page.': 'Votre session ne comprend pas cette page.', 'Your session does not include any page. Ask whoever gave you the link.': 'Votre session ne comprend aucune page. Adressez-vous à qui vous a donné le lien.',
  'This link can’t be used any more': 'Ce lien ne peut plus servir', 'A link is needed': 'Il faut un lien',
  'Each link opens the log once, for a short time. Ask for a new one where you found it. If somebody else may have used it, tell them.':
    'Chaque lien ouvre le journal une fois, pendant peu de temps. Demandez-en un nouveau là où vous l’avez trouvé. Si quelqu’un d’autre a pu s’en servir, signalez-le.',
  'The audit log opens from a link that your application gives you.': 'Le journal d’audit s’ouvre par un lien que donne votre application.', 'Opening the audit log…': 'Ouverture du journal d’audit…',
  // Exports
  Exports: 'Exports', 'Files made from the log. Each was written from one state of it, and its SHA-256 tells whether a copy is whole.': 'Les fichiers tirés du journal. Chacun en reflète un seul état, et son SHA-256 dit si une copie est intacte.',
  'No exports yet': 'Pas encore d’export', 'Filter the events you need, then choose Export. Large ones are prepared here.': 'Filtrez les événements voulus, puis choisissez Exporter. Les grands exports se préparent ici.',
  State: 'État', Size: 'Taille', Until: 'Jusqu’au', Download: 'Télécharger', 'Copy SHA-256': 'Copier le SHA-256', '{n} row|{n} rows': '{n} ligne|{n} lignes',
  Waiting: 'En attente', 'In progress': 'En cours', Ready: 'Prêt', Expired: 'Expiré',
  // Keys
  'API keys': 'Clés d’API', 'Keys let your own tools read this log. A key can do no more than the person who makes it, and making and revoking one is an event in the log.':
    'Les clés permettent à vos outils de lire ce journal. Une clé ne peut pas plus que qui la crée ; sa création et sa révocation sont des événements du journal.',
  'Create key': 'Créer une clé', 'No keys yet': 'Pas encore de clé', 'Create one for each tool that reads the log, so that each can be revoked alone.': 'Créez-en une par outil qui lit le journal, pour pouvoir révoquer chacune seule.',
  May: 'Droits', Created: 'Créée', 'Last used': 'Dernier usage', Expires: 'Expire', Never: 'Jamais', Revoke: 'Révoquer', 'Your new key': 'Votre nouvelle clé',
  'Copy it now. It is not stored and can’t be shown again.': 'Copiez-la maintenant. Elle n’est pas conservée et ne pourra plus être affichée.', Done: 'Terminé', 'What will use it': 'Qui s’en servira',
  'It may': 'Elle peut', 'Valid for': 'Valable', 'Revoke “{name}”?': 'Révoquer « {name} » ?', 'What uses it stops working within seconds. This can’t be undone.': 'Ce qui s’en sert s’arrête en quelques secondes. C’est définitif.',
  'Read events': 'Lire les événements', 'Take exports': 'Exporter', 'Manage streams': 'Gérer les flux', 'Manage keys': 'Gérer les clés', 'Read proofs': 'Lire les preuves',
  // Streams
  Streams: 'Flux', 'Send every event on, continuously, to where you already look. Nothing is skipped: a stream in trouble keeps its place.': 'Envoyez chaque événement, en continu, là où vous regardez déjà. Rien n’est sauté : un flux en difficulté garde sa place.',
  'Add stream': 'Ajouter un flux', 'All streams': 'Tous les flux', 'Where should events go?': 'Où envoyer les événements ?', Stream: 'Flux', Behind: 'Retard', Delivered: 'Remis', 'Last success': 'Dernier succès',
  '{n} refused': '{n} refusés', 'Not enabled': 'Non activé', Disabled: 'Désactivé', Paused: 'En pause', Failing: 'En échec', Recovering: 'En reprise', Healthy: 'Sain', 'Waiting for events': 'En attente d’événements',
  'Buckets of S3 and compatible stores, as JSON lines or Parquet': 'Compartiments S3 et compatibles, en lignes JSON ou Parquet', 'Signed requests to an address of yours (Standard Webhooks)': 'Requêtes signées vers une adresse à vous (Standard Webhooks)',
  'HTTP Event Collector': 'Collecteur d’événements HTTP (HEC)', 'Elasticsearch and OpenSearch, through _bulk': 'Elasticsearch et OpenSearch, par _bulk', 'Logs intake': 'Collecte de journaux',
  'RFC 5424 over TLS. A write is not a confirmation: syslog has none': 'RFC 5424 sur TLS. Écrire n’est pas confirmer : syslog ne confirme rien', 'Batches to any HTTPS collector: Sumo Logic, Panther, New Relic, …': 'Par lots vers tout collecteur HTTPS : Sumo Logic, Panther, New Relic…',
  Bucket: 'Compartiment', Region: 'Région', Endpoint: 'Point d’accès', 'Only for other S3-compatible services.': 'Seulement pour d’autres services compatibles S3.', 'Access key id': 'Identifiant de clé d’accès', 'Secret access key': 'Clé d’accès secrète',
  'Role to assume instead of a key': 'Rôle à endosser au lieu d’une clé', Folder: 'Dossier', Files: 'Fichiers', Address: 'Adresse', 'Signing secret': 'Secret de signature', 'Made for you if left empty; shown once.': 'Créé pour vous si laissé vide ; affiché une fois.',
  'Requests carry': 'Les requêtes portent', Collector: 'Collecteur', Token: 'Jeton', Index: 'Index', 'The token’s default if left empty.': 'Celui du jeton si laissé vide.', 'Wait for indexer acknowledgement': 'Attendre l’accusé des indexeurs',
  Cluster: 'Grappe', 'API key': 'Clé d’API', User: 'Utilisateur', 'Instead of an API key.': 'Au lieu d’une clé d’API.', Password: 'Mot de passe', Site: 'Site', 'Only for a proxy of your own.': 'Seulement pour un relais à vous.',
  Host: 'Hôte', Port: 'Port', 'Certificate authority (PEM)': 'Autorité de certification (PEM)', 'Only if it is not a public one.': 'Seulement si elle n’est pas publique.', 'Client certificate (PEM)': 'Certificat client (PEM)', 'Client key (PEM)': 'Clé client (PEM)',
  Method: 'Méthode', 'Authorization header': 'En-tête d’autorisation', Body: 'Corps', Compression: 'Compression', 'many events each': 'plusieurs événements chacune', 'one event each': 'un événement chacune', none: 'aucune', optional: 'facultatif',
  'Stream to {name}': 'Flux vers {name}', 'Event format': 'Format des événements', 'Only events that match': 'Seulement les événements qui correspondent à', 'In the filter language of the log; empty for all events.': 'Dans le langage de filtre du journal ; vide pour tous.',
  Begin: 'Commencer', 'with new events': 'par les nouveaux événements', 'with the first event of the log': 'par le premier événement du journal', 'at a point in time': 'à un moment donné', 'Create and test': 'Créer et tester',
  'Nothing is sent before you have tested and enabled it.': 'Rien n’est envoyé avant que vous l’ayez testé et activé.', 'Kept encrypted; never shown again.': 'Conservé chiffré ; jamais réaffiché.', 'Your signing secret': 'Votre secret de signature', Continue: 'Continuer',
  Pause: 'Suspendre', Resume: 'Reprendre', 'Replay from…': 'Rejouer depuis…', Replay: 'Rejouer', 'up to date': 'à jour', 'Refused events': 'Événements refusés', 'Last error': 'Dernière erreur', 'next try {time}': 'prochain essai {time}',
  Test: 'Test', 'Sending…': 'Envoi…', 'Send test event': 'Envoyer un événement de test', 'The destination accepted the test event.': 'La destination a accepté l’événement de test.', 'The destination did not accept the test event.': 'La destination n’a pas accepté l’événement de test.',
  '{n} ms': '{n} ms', Request: 'Requête', Answer: 'Réponse', Passed: 'Réussi', 'Sends one event that is marked as a test, and shows what came back.': 'Envoie un événement marqué comme test et montre la réponse.', 'Requests come from': 'Les requêtes viennent de',
  Enable: 'Activer', 'Enabling needs a passed test.': 'L’activation demande un test réussi.', 'Enable anyway': 'Activer malgré tout', 'Enable without a passed test?': 'Activer sans test réussi ?', 'That this was done without a test is recorded in the log.': 'Le journal retiendra que c’était sans test.',
  Attempts: 'Tentatives', When: 'Quand', Result: 'Résultat', Took: 'Durée', Show: 'Voir', 'The destination refused these for good. They stay in the log; the stream went on without them.': 'La destination les a refusés définitivement. Ils restent au journal ; le flux a continué sans eux.',
  'Send again': 'Renvoyer', Event: 'Événement', Settings: 'Réglages', 'The stream goes back to this time and sends everything since again. Events keep their ids, so a destination can drop what it has.': 'Le flux revient à ce moment et renvoie tout depuis. Les événements gardent leurs identifiants, la destination peut donc écarter ce qu’elle a.',
  'Nothing more is sent, and its place in the log is forgotten.': 'Plus rien n’est envoyé, et sa place dans le journal est oubliée.',
} as const satisfies Record<string, string>;
