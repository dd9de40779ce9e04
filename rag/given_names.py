"""Given names, titles, and the words that no person is named by: what tells people from all else in capitals."""

from __future__ import annotations


def _words(written: str) -> frozenset[str]:
    return frozenset(written.split())


MEN = _words(
    """Aaron Abdul Abdullah Abraham Adam Adrian Ahmad Ahmed Akira Alan Albert Alejandro Aleksandar Aleksandr Aleksei
    Alexander Alexandre Alexei Alfred Allen Alvaro Alvin Amir Amit Andre Andreas Andrei Andrew Andriy Andy
    Angelo Anil Anthony Anton Antonio Antony Arjun Arnold Arthur Arturo Arvind Ashish Ashok Augustus Barack
    Barry Ben Benjamin Benny Bernard Bernie Bert Bill Billy Bob Boris Brad Bradley Brandon Brendan Brent Brett
    Brian Bruce Bryan Calvin Carl Carlo Carlos Cesar Chad Charles Chester Christian Christopher Chuck Clarence
    Claudio Clint Clive Colin Connor Conor Craig Cristiano Curtis Cyrus Damien Damon Dan Daniel Danny Darius
    Darren Dave David Dean Deepak Dennis Derek Derrick Desmond Devin Dick Diego Dieter Dmitri Dmitry Dmytro Don
    Donald Doug Douglas Duncan Dwight Earl Ed Eddie Edgar Eduardo Edward Edwin Elias Elon Emilio Emmanuel Emmett
    Enrique Eric Erik Ernest Esteban Ethan Eugene Fabio Federico Felipe Felix Fernando Francisco Francois Frank
    Franklin Fred Freddie Frederick Fritz Gabriel Gareth Garrett Gary Gautam Gavin Geert Geoff Geoffrey Georg
    George Gerald Gerard Gerardo Gianni Gilbert Giorgio Giovanni Giuseppe Gordon Graham Greg Gregg Gregory
    Guillermo Gus Gustavo Guy Hamid Hank Hans Harold Harry Harvey Hassan Hector Henrik Henry Herbert Herman
    Herschel Hiroshi Horst Howard Hugh Hugo Hussein Ian Ibrahim Ichiro Igor Imran Isaac Ismail Ivan Ivo Iván
    Jack Jacob Jacques Jair Jake Jamal James Jared Jaroslav Jason Javier Jay Jeb Jeff Jeffrey Jens Jeremy Jerome
    Jerry Jerzy Jim Jimmy Jiri Joe Joel Johan Johann Johannes John Johnny Jon Jonas Jonathan Jorge Jose Josef
    Josep Joseph Josh Joshua José Juan Julian Julius Justin Jürgen Karl Kasper Keith Ken Kenji Kenneth Kevin
    Khalid Kirk Klaus Kofi Konstantin Kurt Kwame Kyle Lance Larry Lars Lawrence Leo Leon Leonard Leonardo Lewis
    Liam Lionel Lloyd Lorenzo Louis Luca Lucas Luigi Luis Luke Magnus Mahmoud Maksim Malcolm Manmohan Manuel
    Marc Marcel Marco Marcos Marcus Marek Mario Mark Martin Marty Marvin Mateo Matt Matteo Matthew Maurice
    Mauricio Mehmet Michael Michal Miguel Mike Mikhail Milan Miles Mitch Mohamad Mohamed Mohammad Mohammed
    Muhammad Mustafa Narendra Nasser Nathan Nathaniel Nawaz Neil Nelson Niall Nicholas Nick Nicolas Nigel Nikola
    Nikolai Nils Noah Norman Olaf Oleg Oleksandr Oleksiy Oliver Omar Osama Oscar Otto Owen Pablo Paolo Pascal
    Patrick Paul Pavel Pedro Percy Pervez Pete Peter Phil Philip Philippe Phillip Pierre Piotr Rafael Rahul
    Rajesh Ralph Ramesh Ramon Randy Raphael Raul Ravi Ray Raymond Recep Reggie Reinhard Ricardo Richard Rick
    Ricky Rishi Rob Robert Roberto Rodney Rodrigo Roger Roland Rolf Ron Ronald Ross Roy Ruben Rudy Rufus Rupert
    Russell Ryan Sadiq Salman Samir Samuel Sanjay Santiago Scott Sean Sebastian Sergei Sergey Sergio Seth Shane
    Shaun Shigeru Shinzo Simon Stanislav Stanley Stefan Stephan Stephen Steve Steven Stewart Stuart Sunil Suresh
    Sven Takashi Ted Terrence Thabo Theo Theodore Thierry Thomas Tim Timothy Tobias Todd Tom Tomas Tommy Tony
    Travis Trevor Tyler Umar Umberto Uwe Vaclav Vernon Victor Vijay Vikram Viktor Vincent Vincenzo Vitali Vivek
    Vlad Vladimir Volodymyr Wade Walter Warren Wayne Wesley Wilbur Wilhelm William Wolfgang Xavier Yasser
    Yevgeny Yuri Yuriy Yusuf Zachary Zlatan Álvaro"""
)
WOMEN = _words(
    """Abby Abigail Adele Adriana Agnes Aisha Alexandra Alexandria Alice Alicia Alina Alison Allison Amanda Amber
    Amelia Amina Amy Ana Angela Angelina Anita Anjali Ann Anna Annalena Anne Annette Annie Antonia Ariana Arlene
    Astrid Audrey Ava Ayesha Barbara Beatrice Becky Bella Benazir Beth Betsy Betty Bonnie Brenda Brianna Bridget
    Brittany Brittney Camila Camilla Carla Carlotta Carol Carole Caroline Carolyn Carrie Catherine Cathy Cecilia
    Celine Charlene Charlotte Chelsea Cheryl Chiara Chloe Christina Christine Cindy Claire Clara Claudia Colleen
    Crystal Cynthia Daisy Daniela Danielle Dawn Deb Debbie Deborah Debra Deepika Denise Diana Diane Dolores
    Donna Doris Dorothy Edith Edna Eileen Elaine Eleanor Elena Elisabeth Elise Elizabeth Ella Ellen Ellie Elsa
    Emily Emma Erica Erin Esther Ethel Eva Evie Fatima Felicia Fiona Flora Florence Francesca Francine Gabriela
    Gabrielle Gayle Gemma Geraldine Gertrude Gina Ginni Giorgia Gisele Giulia Gladys Gloria Grace Greta Gretchen
    Gwen Gwyneth Hannah Harriet Heather Heidi Helen Helena Hilda Hillary Holly Hope Ida Indira Ines Inga Inge
    Ingrid Irene Iris Isabel Isabella Isla Ivana Ivanka Ivy Jacinda Jacqueline Jane Janet Janice Janine Jasmine
    Jeanne Jeannette Jenna Jennifer Jenny Jessica Jill Joanna Joanne Johanna Josephine Joy Joyce Juanita Judith
    Judy Julia Julie Juliet Kamala Karen Karin Karina Karine Katarina Kate Katharine Katherine Kathleen Kathryn
    Kathy Katie Katja Kavita Kayla Keiko Keisha Kerstin Kimberly Kirsten Kristen Kristi Kristin Kristina Lara
    Laura Lauren Layla Leah Leila Lena Lenka Leonie Leyla Lila Liliana Lillian Linda Lisa Liz Liza Lois Lori
    Lorraine Lottie Louise Lucia Lucie Lucy Lydia Mabel Madeleine Magdalena Maggie Mara Marcia Margaret Maria
    Marianne Marie Marilyn Marina Marissa Marjorie Marsha Martha Martina Mary Maryam María Matilda Maud Maureen
    Maya Meera Megan Meghan Mei Melania Melanie Melinda Melissa Mercedes Mia Michelle Mila Mildred Milena Mina
    Minnie Miranda Molly Mona Monica Monika Muriel Myra Nadia Nadine Nancy Naomi Natalia Natalie Natasha Nell
    Ngozi Nicole Nina Nora Noreen Norma Olena Olga Olive Olivia Paige Pamela Patricia Patty Paula Pauline Peggy
    Penelope Petra Philippa Phyllis Priscilla Priti Priyanka Rachael Rachel Ramona Rebecca Regina Renee Rhonda
    Rita Roberta Rochelle Rosa Rosalind Rose Rosemary Rosie Rowena Ruby Ruth Sabine Sabrina Sally Samantha
    Sandra Sanna Sara Sarah Serena Sharon Sheila Sheryl Shirley Silvia Sofia Sonia Sonya Sophia Sophie Stella
    Stephanie Sue Sunita Susan Susanna Suzanne Svetlana Sybil Sylvia Tamara Tammy Tanya Tara Tatiana Teresa
    Tessa Thelma Theresa Tiffany Tina Trudy Ursula Valentina Valerie Vanessa Vera Veronica Vicky Victoria Viola
    Wanda Wendy Wilma Winifred Yolanda Yuko Yulia Yvette Yvonne Zainab Zara Zoe"""
)
EITHER = _words(
    """Alex Ali Andrea Ashley Beverly Blake Bobby Cameron Carmen Casey Charley Charlie Chris Courtney Dana Dylan Evan
    Evelyn Frances Frankie Gail Gene Glenn Hayden Hunter Jackie Jamie Jan Jean Jesse Jo Joan Jordan Jules Jun
    Kai Kelly Kim Laurie Lee Leslie Li Lindsay Lindsey Logan Lynn Marion Max Min Ming Morgan Nicola Noor Pat
    Quinn Riley Robin Ronnie Sam Sandy Sasha Shannon Shelby Sidney Simone Stacey Stacy Taylor Terry Tracy Vivian
    Wei Whitney Willie Xi Yael"""
)
GIVEN_NAMES = MEN | WOMEN | EITHER

HE_TITLES = _words(
    """Actor Cardinal Chairman Congressman Councilman Duke Father King Lord Mr Mr. Pope Prince Sir Spokesman"""
)
SHE_TITLES = _words(
    """Actress Baroness Chairwoman Congresswoman Councilwoman Dame Duchess Lady Miss Mrs Mrs. Ms Ms. Princess Queen
    Spokeswoman"""
)
# There is one of them at a time, so that "President Roe" is not every Roe.
OFFICES = _words(
    """Administrator Ambassador Archbishop Bishop Capt. Captain Chancellor Chief Coach Col. Colonel Commissioner
    Detective Director Gen. General Gov. Governor Judge Justice Lieutenant Lt. Maj. Major Mayor Minister Officer
    Premier President Rep. Representative Secretary Sen. Senator Sergeant Sgt. Sheriff Speaker Superintendent"""
)
OTHER_TITLES = _words(
    """Activist Actors Adm. Admiral Advocate Airman Alderman Analyst Analysts Anchor Artist Assemblyman Assemblymen
    Assemblywoman Assemblywomen Astronaut Attorney Author Biologist Blogger CEO CFO COO Candidate Chair
    Chairperson Chef Chief-of-Staff Class Cmdr. Comedian Commander Composer Coordinator Corporal Correspondent
    Councillor Councilmember Councilmembers Councilor Counsel Cpl. Democrat Deputy Detectives Dr Dr. Drs.
    Ecologist Economist Editor Envoy Filmmaker Firefighter Former Forward Founder Govs. Historian Host Imam
    Inspector Justices Lawmaker Lawyer Leader Legend Manager Marshal Messrs. Musician Neighbor Nominee Novelist
    Officers Organizer Owner Pastor Pfc. Pitcher Plaintiff Poet Presidents Principal Private Prof. Professor
    Professors Prosecutor Provost Pvt. Quarterback Rabbi Rancher Ranger Rapper Reporter Reps. Republican
    Researcher Resident Rev. Reverend Scientist Secretary-General Selectman Selectwoman Sens. Singer
    Spokesperson Star Striker Superstar Supervisor Surgeon Survivor Treasurer Trooper Trustee Vice Volunteer
    Writer"""
)
TITLES = HE_TITLES | SHE_TITLES | OFFICES | OTHER_TITLES

NO_PERSON = _words(
    """Abbey Academy Act Administration Africa Agency Airlines Airport Alliance Amendment America American Americans
    And Angeles April Arabia Area Arena Army Assembly Association August Australian Authority Avenue Award
    Awards Ballroom Bank Basin Bay Beach Board Bowl Bridge Britain British Brothers Building Bureau Business
    Campus Canadian Canyon Capitol Caption Carolina Cathedral Cemetery Center Central Centre Champions
    Championship Championships Chapel Charity China Chinese Christmas Church Cinema City Climate Club Coalition
    Coast College Comics Commission Committee Community Company Conference Congress Convention Corp Corporation
    Council Country County Court Creek Crown Cruise Cup Cyclone Daily Dakota Day Deal December Democratic
    Democrats Department Development Disease District Division Drive East Easter Eastern Economic Education
    Election Electric Embassy Emergency Energy English Enterprises Entertainment Environmental European Exchange
    Executive Express Falls Fargo February Federal Federation Festival Field Film Finance Financial Fire Force
    Foreign Forest Fort Foundation France French Friday Fund Games Gate Gazette German Germany Global Group
    Grove Guard Gulf Hampshire Harbor Haven Health Heights Herald Hide Highway Hills Historical History Holdings
    Hospital Hotel Hotels House Human Hurricane I Images Inc Indian Industries Information Inn Institute
    Institution Insurance Intelligence International Investment Iran Iranian Irish Island Islands Israel Israeli
    Italian January Japan Japanese Jersey Journal July June Kingdom Korea Korean Labor Laboratory Labour Lake
    Law League Legal Lehman Library Limited London Los Ltd Mac Mae Magazine Mall Management March Marine
    Maritime Market Media Medical Memorial Metropolitan Mexico Middle Military Mission Monday More Motor Motors
    Mount Mountain Mountains Movement Museum Music National Nations Natural Navy Network New News Nobel North
    Northern November Ocean October Of Office Olympic Olympics Open Opera Orchestra Order Organisation
    Organization Pacific Palace Park Parks Parkway Parliament Partners Party Photos Pictures Plan Plaza Police
    Post Premier Press Prize Program Project Protection Province Public Puerto Radio Railway Ranch Rapids Read
    Real Red Region Related Report Reporting Republicans Research Reserve Resort Resources Review Ridge River
    Road Roman Royal Rule Rural Russia Russian Sachs Saint San Santa Saturday School Schools Science Sciences
    Sea Security Senate September Series Service Services Shelter Show Social Society Solutions South Southern
    Space Spanish Special Sports Springs Square St. Stadium Standard State States Station Stearns Store Stores
    Storm Street Studio Studios Suisse Summit Sunday Super Supreme Survey Syndrome System Systems Team
    Technologies Technology Telegraph Television Texas The Theater Theatre Thursday Times Today Tower Town
    Township Trade Transport Transportation Treasury Trial Tropical Trust Tuesday Tunnel Turkish Typhoon Ukraine
    Ukrainian Union United Universal University Valley Vegas Video Villa Village Virus Vista Wall War Washington
    Watch Watched Water Weather Wednesday West Western Wildlife Women World Yankees York Youth Zealand Zoo"""
)

# Words that open sentences, beside the stop words.
OPENERS = _words(
    """According Although Alongside Along Also Amid Among Another Around Ask Asked Behind Beside Besides Beyond Called
    Dear Despite Earlier Even Every Following Hello However Including Inside Instead Last Late Later Like
    Longtime Maybe Meanwhile Meet Near Next Perhaps Per Photo Plus Since Sorry Speaking Still Thanks Then Though
    Toward Unlike Upon Whereas Whether Within Without Yesterday Yet"""
)
