"""The words of the messages. Their order is part of the corpus: a seed draws by place."""


def _words(text: str) -> list[str]:
    return text.split()


FIRST_NAMES = _words("""
Anna Ben Chloe Dmitri Elena Farid Grace Hiro Ines Jonas Karin Luis Mei Nadia Omar Petra
Quentin Rosa Sven Tara Ulf Vera Wim Xenia Yusuf Zoe Jürgen Søren Łukasz Zoë François Renée
""")
LAST_NAMES = _words("""
Adler Brandt Costa Dubois Evans Fischer Garcia Hansen Ito Jensen Keller Larsen Moreau Novak
Olsen Patel Quinn Rossi Schmidt Tanaka Ueda Vogel Weber Xu Young Zimmer Müller Dvořák Åberg
Çelik
""")
SUBJECTS = [
    "quarterly figures",
    "server maintenance window",
    "travel approval",
    "invoice overdue",
    "lunch on friday",
    "draft contract",
    "build failed",
    "release notes",
    "customer feedback",
    "budget review",
    "conference talk",
    "password reset",
    "weekly digest",
    "order confirmation",
    "meeting minutes",
    "new hire",
    "performance review",
    "holiday plan",
    "security advisory",
    "patch for review",
]
FOREIGN = [
    "Grüße aus Köln",
    "Réunion de lundi",
    "こんにちは、会議の件",
    "Счёт за услуги",
    "Façade naïve – résumé",
    "订单确认通知",
    "Überweisung bestätigt",
    "Žádost o schválení",
]
WORDS = _words("""
the of and to in a is that for it as was with be by on not he his but at are this have from or
had an they which one you were all her she there would their we him been has when who will no
more if out so up said what its about than into them can only other time new some could these
two may first then do any like my now over such our man me even most made after also did many
off before must well back through years where much your way down should because long each just
state those people too mr how little good world make very year still see own work men day get
here old between both life being under three never know same last another while us might great
go come since against right came take used himself few house use during without again place
american around however home small found mrs thought went say part once general high upon
school every don does got united left number course war until always away something fact water
public less put thing almost hand enough far took head yet government system set better told
nothing night end why called didn eyes find going look asked later knew point next program
city business give group toward young days let room word order side service invoice delivery
payment project schedule deadline report customer question answer
""")
MAILERS = ["Thunderbird 128.3", "Apple Mail (2.3826)", "Mutt/2.2.12", "Outlook 16.0"]
ZONES = ["+0000", "+0200", "-0500", "+0900", "+0530"]
